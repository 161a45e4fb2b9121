package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What runs the job goes away and comes back: the training does not notice. */
@RealCluster
class ControlPlaneTest {
    private final Cluster cluster;

    ControlPlaneTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void aKilledOperatorTakesUpItsJobsAgain() {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 150}")) {
            job.awaitStep(1);
            Instant killed = Instant.now();
            cluster.killProcesses(cluster.operator());
            try (TrainingJob other = TrainingJob.apply(cluster, "lifecycle: {suspend: true}")) {
                other.await(State.Suspended);
                cluster.times().took("operator killed (SIGKILL) → next reconcile", killed, Instant.now());
            }
            job.awaitUndisturbedEnd();
        }
    }

    @Test
    void aKubeletThatWasAwayFindsTheTrainerTraining() throws InterruptedException {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 200}")) {
            job.awaitStep(1);
            cluster.commands().kill("kubelet");
            Thread.sleep(Duration.ofSeconds(15));
            cluster.commands().start("kubelet");
            job.awaitUndisturbedEnd();
        }
    }

    @Test
    void trainingGoesOnWhileTheApiServerIsAwayForAMinute() throws InterruptedException {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 500}")) {
            job.awaitStep(1);
            int before = Objects.requireNonNull(job.await("progress", status -> status.progress() != null)
                            .progress())
                    .step();
            cluster.commands().kill("kube-apiserver");
            Thread.sleep(Duration.ofMinutes(1));
            cluster.commands().start("kube-apiserver");
            Instant back = Instant.now();
            RLVRJobStatus after = job.await(
                    "progress after the outage",
                    status -> status.progress() != null
                            && Instant.parse(status.progress().updatedAt()).isAfter(back));
            cluster.times().took("API server back after a minute → next progress in the status", back, Instant.now());
            assertThat(Objects.requireNonNull(after.progress()).step()).isGreaterThan(before + 5);
            job.awaitUndisturbedEnd();
        }
    }
}
