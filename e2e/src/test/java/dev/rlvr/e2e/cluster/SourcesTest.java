package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Container;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A job downloads its model and its problems from a hub, once; another that is applied at the same time waits for it and trains on what it made. */
@RealCluster
class SourcesTest {
    private final Cluster cluster;

    SourcesTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void aJobDownloadsItsSourcesOnceAndIsTheSourceOfTheNext() {
        String namespace = cluster.createNamespace("sources");
        try (HubPod hub = HubPod.start(cluster);
                TrainingJob first = TrainingJob.apply(cluster, namespace, "first", """
                    model: {source: 'hf://org/sums'}
                    data: {source: 'hf://datasets/org/sums/train.jsonl'}
                    algorithm: {steps: 60}
                    """);
                TrainingJob second = TrainingJob.apply(cluster, namespace, "second", """
                    model: {source: 'job://first'}
                    algorithm: {steps: 4}
                    """)) {
            StepLine downloaded = first.awaitStep(1);
            cluster.times().took("apply → first training step, with hf:// sources", first.applied(), downloaded.at());
            assertThat(first.pod(0).getSpec().getInitContainers())
                    .extracting(Container::getName)
                    .containsExactly("fetch");
            List<String> asked = hub.asked();
            assertThat(asked)
                    .contains(
                            "/datasets/org/sums/resolve/%s/train.jsonl".formatted(Hub.COMMIT),
                            "/org/sums/resolve/%s/model.safetensors".formatted(Hub.COMMIT))
                    .doesNotHaveDuplicates();

            int saved = first.awaitCheckpoint(4).step();
            cluster.client().pods().resource(first.pod(0)).delete();
            first.awaitStep(2);
            assertThat(first.wentOnFrom(2)).isGreaterThanOrEqualTo(saved);
            assertThat(hub.asked()).as("what is there is not asked for").isEqualTo(asked);

            RLVRJobStatus waiting = second.await(State.Queued);
            assertThat(TrainingJob.condition(waiting, "Ready").getReason()).isEqualTo("WaitingForSource");
            assertThat(second.pods()).isEmpty();
            first.await(State.Running);

            assertThat(first.await(State.Succeeded).attempt()).isEqualTo(2);
            Instant ended = Instant.now();
            StepLine next = second.awaitStep(1);
            cluster.times().took("first job's end → first training step of a job:// job", ended, next.at());
            RLVRJobStatus end = second.await(State.Succeeded);
            assertThat(end.attempt()).isEqualTo(1);
            assertThat(end.restarts()).isIn(null, Restarts.NONE);

            first.delete();
            second.deleteAndAwaitNothingLeft();
        }
    }
}
