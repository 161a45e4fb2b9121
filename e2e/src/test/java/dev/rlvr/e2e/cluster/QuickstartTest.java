package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A job that nothing happens to, and one that its user suspends. */
@RealCluster
class QuickstartTest {
    private final Cluster cluster;

    QuickstartTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void podsTrainToTheEndAndDeletionLeavesNothing(int pods) {
        try (TrainingJob job = TrainingJob.apply(cluster, """
                algorithm: {steps: 8}
                trainer: {replicas: %d}
                """.formatted(pods))) {
            StepLine first = job.awaitStep(1);
            cluster.times().took("apply → first training step, pods: " + pods, job.applied(), first.at());
            assertThat(job.pods(1)).hasSize(pods);

            RLVRJobStatus end = job.await(State.Succeeded);
            cluster.times().took("apply → end of 8 steps, pods: " + pods, job.applied(), Instant.now());
            assertThat(end.attempt()).isEqualTo(1);
            assertThat(end.restarts()).isIn(null, Restarts.NONE);
            assertThat(end.progress())
                    .isNotNull()
                    .satisfies(progress -> assertThat(progress.step()).isEqualTo(8));
            assertThat(end.checkpoint())
                    .isNotNull()
                    .satisfies(checkpoint -> assertThat(checkpoint.step()).isEqualTo(8));
            assertThat(TrainingJob.condition(end, "Complete").getStatus()).isEqualTo("True");
            job.deleteAndAwaitNothingLeft();
        }
    }

    @Test
    void aSuspendedJobGivesItsPodsBackAndGoesOnWhereItStopped() {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 150}")) {
            int saved = job.awaitCheckpoint(4).step();
            Instant suspended = Instant.now();
            job.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
            RLVRJobStatus status = job.await(State.Suspended);
            Awaiting.until("no pod is left", () -> job.pods().isEmpty(), job::pods);
            cluster.times().took("suspend → pods gone", suspended, Instant.now());
            int stopped = job.awaitCheckpoint(saved).step();
            assertThat(TrainingJob.condition(status, "Suspended").getStatus()).isEqualTo("True");

            Instant resumed = Instant.now();
            job.patchSpec("{\"lifecycle\":{\"suspend\":false}}");
            StepLine next = job.awaitStep(2);
            cluster.times().took("resume → next training step", resumed, next.at());
            assertThat(job.wentOnFrom(2)).isEqualTo(stopped).isGreaterThanOrEqualTo(saved);
            assertThat(next.step()).isEqualTo(stopped + 1);

            RLVRJobStatus end = job.await(State.Succeeded);
            assertThat(end.restarts()).as("a suspension is no restart").isIn(null, Restarts.NONE);
            job.deleteAndAwaitNothingLeft();
        }
    }
}
