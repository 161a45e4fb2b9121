package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.PodObservation.Phase;
import org.junit.jupiter.api.Test;

/** Which plans may be made from what a back end remembers, and which need a fresh look. */
class PlanTest {
    private final Scene scene = Scene.of();

    /** Whether the next plan only goes on with what is stored. */
    private boolean goesOn() {
        RLVRJobStatus before = scene.job.getStatus();
        return scene.decide().goesOn(before);
    }

    @Test
    void theWayOfAnAttemptFromQueuedToRunningGoesOn() {
        scene.decide();

        scene.exists(scene.attempt(1, new Admission.WaitingForQuota("no GPUs left")));
        assertThat(goesOn()).isTrue();
        scene.exists(scene.attempt(1, pods(new Phase.Waiting("ImagePull", "pulling"))));
        assertThat(goesOn()).isTrue();
        scene.exists(scene.attempt(1, pods(new Phase.Running(scene.now))));
        assertThat(goesOn()).isTrue();
        scene.resourcesReady = false;
        assertThat(goesOn()).isTrue();
    }

    @Test
    void anAttemptIsNeitherBegunNorCreatedNorReplacedFromMemory() {
        assertThat(goesOn()).as("announces attempt 1").isFalse();
        assertThat(goesOn()).as("creates it").isFalse();

        scene.running().exists();
        assertThat(goesOn()).as("misses it").isFalse();
    }

    @Test
    void nothingIsStoppedFromMemory() {
        scene.running();
        scene.exists(
                scene.attempt(1, pods(new Phase.Running(scene.now))),
                scene.attempt(2, pods(new Phase.Running(scene.now))));

        assertThat(goesOn()).isFalse();
        assertThat(scene.suspend(true).job.getSpec().lifecycle().suspend()).isTrue();
        assertThat(goesOn()).isFalse();
    }

    @Test
    void noEndIsReadFromMemory() {
        scene.running().exists(scene.attempt(1, pods(exit(1, "loss is NaN"))));
        assertThat(goesOn()).as("restarts").isFalse();

        Scene other = Scene.of().running().exists(scene.attempt(1, pods(new Phase.Succeeded())));
        RLVRJobStatus running = other.job.getStatus();
        assertThat(other.decide().goesOn(running)).as("succeeds").isFalse();
    }

    @Test
    void aMemoryThatIsBehindTheStoredStateIsNotTrusted() {
        scene.decide();
        scene.exists(scene.attempt(1, new Admission.WaitingForQuota("no GPUs left")));
        Plan queued = scene.decide();
        scene.exists(scene.attempt(1, pods(new Phase.Waiting("ImagePull", "pulling"))));
        scene.decide();

        assertThat(queued.goesOn(scene.job.getStatus())).isFalse();
    }
}
