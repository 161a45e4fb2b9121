package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rollout servers in pods of their own sample for the trainer. */
@RealCluster
class ServedJobTest {
    private final Cluster cluster;

    ServedJobTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void aJobTrainsToTheEndOnAServerInAPodThatGoesWithTheEnd() {
        try (TrainingJob job = TrainingJob.apply(cluster, """
            algorithm: {steps: 8}
            rollout: {engine: Sglang, servers: {replicas: 1, gpusPerReplica: 0}}
            """)) {
            StepLine first = job.awaitStep(1);
            cluster.times().took("apply → first training step, with a rollout server", job.applied(), first.at());
            List<Pod> servers = job.servers();
            assertThat(servers).hasSize(1);
            // the trainer asks it before the kubelet's next look calls it ready
            assertThat(servers.getFirst().getStatus().getContainerStatuses())
                    .hasSize(1)
                    .allSatisfy(
                            container -> assertThat(container.getRestartCount()).isZero());

            RLVRJobStatus end = job.await(State.Succeeded);
            cluster.times().took("apply → end of 8 steps, with a rollout server", job.applied(), Instant.now());
            assertThat(end.attempt()).isEqualTo(1);
            assertThat(end.restarts()).isIn(null, Restarts.NONE);
            Awaiting.until("the server goes", () -> job.servers().isEmpty(), job::servers);
            job.deleteAndAwaitNothingLeft();
        }
    }
}
