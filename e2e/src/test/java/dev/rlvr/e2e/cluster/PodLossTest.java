package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pod is taken away while it trains: the job goes on from its newest checkpoint, at nobody's cost but the infrastructure's. */
@RealCluster
class PodLossTest {
    private static final int STEPS = 150;

    private final Cluster cluster;

    PodLossTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void aDeletedPodSavesWhatItHas() {
        try (TrainingJob job = apply(1)) {
            int saved = job.awaitCheckpoint(4).step();
            Instant deleted = Instant.now();
            cluster.client().pods().resource(job.pod(0)).delete();
            StepLine next = job.awaitStep(2);
            cluster.times().tookAtMost(recovery(1), "pod deleted → next training step", deleted, next.at());
            goesOn(job, saved, next);
        }
    }

    @Test
    void aDrainedNodeIsWaitedFor() {
        try (TrainingJob job = apply(1)) {
            int saved = job.awaitCheckpoint(4).step();
            String node = job.pod(0).getSpec().getNodeName();
            Instant drained = Instant.now();
            try {
                Commands.run(
                        "kubectl",
                        "drain",
                        node,
                        "--pod-selector=rlvr.dev/job=" + TrainingJob.NAME,
                        "--delete-emptydir-data",
                        "--timeout=2m");
                RLVRJobStatus waiting = job.await(
                        "the next attempt waits for a node",
                        status -> Objects.equals(status.attempt(), 2)
                                && TrainingJob.condition(status, "PodsReady")
                                        .getReason()
                                        .equals("Unschedulable"));
                assertThat(TrainingJob.condition(waiting, "PodsReady").getMessage())
                        .contains("unschedulable");
            } finally {
                Commands.run("kubectl", "uncordon", node);
            }
            StepLine next = job.awaitStep(2);
            cluster.times()
                    .took("node drained → next training step (the node back when the pod waits)", drained, next.at());
            goesOn(job, saved, next);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aKilledTrainerProcessTakesItsGangToTheNewestCheckpoint(int pods) {
        try (TrainingJob job = apply(pods)) {
            int saved = job.awaitCheckpoint(4).step();
            Instant killed = Instant.now();
            cluster.killProcesses(job.pod(pods - 1));
            StepLine next = job.awaitStep(2);
            cluster.times()
                    .tookAtMost(
                            recovery(pods),
                            "trainer killed (SIGKILL) → next training step, pods: " + pods,
                            killed,
                            next.at());
            goesOn(job, saved, next);
        }
    }

    /**
     * The longest that may pass from the loss of a pod to the next training step of a job of so many: what docs/cluster.md promises.
     */
    private static Duration recovery(int pods) {
        return pods == 1 ? Duration.ofSeconds(30) : Duration.ofSeconds(60);
    }

    private TrainingJob apply(int pods) {
        return TrainingJob.apply(cluster, """
            algorithm: {steps: %d}
            trainer: {replicas: %d}
            """.formatted(STEPS, pods));
    }

    private void goesOn(TrainingJob job, int saved, StepLine next) {
        int checkpoint = job.wentOnFrom(2);
        assertThat(checkpoint).isGreaterThanOrEqualTo(saved);
        assertThat(next.step()).isEqualTo(checkpoint + 1);

        RLVRJobStatus end = job.await(State.Succeeded);
        assertThat(end.attempt()).isEqualTo(2);
        assertThat(end.restarts()).isNotNull().satisfies(restarts -> {
            assertThat(restarts.total()).isEqualTo(1);
            assertThat(restarts.user()).isZero();
        });
        assertThat(end.progress())
                .isNotNull()
                .satisfies(progress -> assertThat(progress.step()).isEqualTo(STEPS));
        job.deleteAndAwaitNothingLeft();
    }
}
