package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static dev.rlvr.lifecycle.Scene.stopping;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Lives of jobs as their events tell them. */
class TransitionTest {
    private final List<Transition> told = new ArrayList<>();

    /** Decides again and again until nothing changes, and keeps what happened. */
    private TransitionTest tell(Scene scene) {
        while (true) {
            Optional<RLVRJobStatus> before = Optional.ofNullable(scene.job.getStatus());
            RLVRJobStatus after = scene.decide().status();
            told.addAll(Transition.between(before, after));
            if (before.filter(after::equals).isPresent()) {
                return this;
            }
        }
    }

    private List<String> kinds() {
        return told.stream().map(told -> told.kind() + " " + told.attempt()).toList();
    }

    @Test
    void aJobThatSucceedsStartsRunsAndSucceeds() {
        Scene scene = Scene.of();
        tell(scene);
        tell(scene.exists(scene.attempt(1, pods(new Phase.Running(scene.now)))));
        tell(scene.afterSeconds(60));
        tell(scene.exists(scene.attempt(1, pods(new Phase.Succeeded()))));

        assertThat(kinds()).containsExactly("Started 1", "Running 1", "Succeeded 1");
        assertThat(told.getFirst().message()).isEqualTo("attempt 1 begins without a checkpoint");
        assertThat(told).noneMatch(transition -> transition.kind().warns());
    }

    @Test
    void waitingReasonsThatChangeAreNoTransitions() {
        Scene scene = Scene.of();
        tell(scene);
        tell(scene.exists(scene.attempt(1, pods(new Phase.Waiting("Unschedulable", "0/3 nodes")))));
        tell(scene.exists(scene.attempt(1, pods(new Phase.Waiting("ImagePull", "pulling")))));

        assertThat(kinds()).containsExactly("Started 1");
    }

    @Test
    void aCrashWarnsWithTheTrainersWordsAndTheNextAttemptNamesItsCheckpoint() {
        Scene scene = Scene.of();
        tell(scene);
        tell(scene.exists(scene.attempt(1, pods(new Phase.Running(scene.now)))));
        scene.afterSeconds(60).checkpointAt(scene.now).storeTrainersPart();
        AttemptObservation crashed = scene.attempt(1, pods(exit(1, "loss is NaN")));
        tell(scene.exists(crashed));
        tell(scene.exists(stopping(crashed)));
        tell(scene.exists().afterSeconds(600));

        assertThat(kinds()).containsExactly("Started 1", "Running 1", "Restarting 1", "Started 2");
        assertThat(told.get(2).message()).contains("attempt 1 failed (Crash): loss is NaN");
        assertThat(told.get(2).kind().warns()).isTrue();
        assertThat(told.get(3).message()).isEqualTo("attempt 2 begins from the checkpoint of step 3");
    }

    @Test
    void theLastFailureIsToldOnceAsTheEnd() {
        Scene scene = Scene.of("restarts: {user: 0}");
        tell(scene);
        tell(scene.exists(scene.attempt(1, pods(exit(1, "boom")))));
        tell(scene.exists().suspend(true));

        assertThat(kinds()).containsExactly("Started 1", "Failed 1");
        assertThat(told.getLast().message()).startsWith("Crash: boom (attempt 1; spec.lifecycle.restarts.user");
        assertThat(told.getLast().kind().warns()).isTrue();
    }

    @Test
    void suspensionAndResumption() {
        Scene scene = Scene.of();
        tell(scene);
        AttemptObservation running = scene.attempt(1, pods(new Phase.Running(scene.now)));
        tell(scene.exists(running));
        tell(scene.suspend(true));
        tell(scene.exists(stopping(running)));
        tell(scene.exists());
        tell(scene.suspend(false));

        assertThat(kinds())
                .containsExactly("Started 1", "Running 1", "Suspending 1", "Suspended 1", "Resumed 2", "Started 2");
    }

    @Test
    void aQueueThatTakesItsQuotaBack() {
        Scene scene = Scene.of();
        tell(scene);
        tell(scene.exists(scene.attempt(1, new Admission.WaitingForQuota("queue team-a is full"))));
        AttemptObservation running = scene.attempt(1, pods(new Phase.Running(scene.now)));
        tell(scene.exists(running));
        tell(scene.exists(scene.attempt(1, new Admission.WaitingForQuota("queue team-a is full"))));
        tell(scene.exists());
        tell(scene.exists(scene.attempt(2, new Admission.WaitingForQuota("queue team-a is full"))));

        assertThat(kinds())
                .containsExactly(
                        "Started 1",
                        "WaitingForQuota 1",
                        "QuotaReserved 1",
                        "Running 1",
                        "Evicted 1",
                        "Started 2",
                        "WaitingForQuota 2");
        assertThat(told).noneMatch(transition -> transition.kind().warns());
    }

    @Test
    void aSpecThatCannotRunFailsWithoutAnAttempt() {
        tell(Scene.unsupported());

        assertThat(kinds()).containsExactly("Failed 0");
        assertThat(told.getFirst().message()).startsWith("UnsupportedSpec: spec.algorithm.objective");
    }
}
