package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.ended;
import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static dev.rlvr.lifecycle.Scene.stopping;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Action.EnsureResources;
import dev.rlvr.lifecycle.Action.StartAttempt;
import dev.rlvr.lifecycle.Action.StopAttempt;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** From the first look at a job to its end, decision by decision. */
class LifecycleTest {
    private static final Duration GRACE = Duration.ofMinutes(2);

    @Test
    void aNewJobAnnouncesItsFirstAttemptBeforeItStartsIt() {
        Scene scene = Scene.of();
        scene.resourcesReady = false;

        Plan plan = scene.decide();

        assertThat(plan.status().attempt()).isEqualTo(1);
        assertThat(plan.status().attemptStartTime()).isEqualTo("2026-03-01T12:00:00Z");
        assertThat(plan.status().state()).isEqualTo(State.Queued);
        assertThat(plan.actions()).containsExactly(new EnsureResources(), new StartAttempt(1));
    }

    @Test
    void aBackEndThatDiedBeforeItStartedTheAttemptStartsTheSameOne() {
        Scene scene = Scene.of();
        scene.decide();

        Plan plan = scene.afterSeconds(60).decide();

        assertThat(plan.actions()).containsExactly(new EnsureResources(), new StartAttempt(1));
        assertThat(plan.status().restarts().total()).isZero();
    }

    @Test
    void anAttemptWithoutQuotaIsQueuedAndSaysWhatItWaitsFor() {
        Scene scene = Scene.of();
        scene.decide();
        scene.exists(scene.attempt(1, new Admission.WaitingForQuota("queue research has 4 of 16 GPUs left")));

        scene.decide();

        assertThat(scene.state()).isEqualTo(State.Queued);
        assertThat(scene.condition("Ready").getMessage()).isEqualTo("queue research has 4 of 16 GPUs left");
        assertThat(scene.condition("QuotaReserved").getStatus()).isEqualTo("False");
    }

    @Test
    void anAttemptWhosePodsWaitSaysWhy() {
        Scene scene = Scene.of();
        scene.decide();
        scene.exists(scene.attempt(
                1, pods(new Phase.Running(scene.now), new Phase.Waiting("Unschedulable", "no node has 8 GPUs"))));

        scene.decide();

        assertThat(scene.state()).isEqualTo(State.Starting);
        assertThat(scene.condition("Ready").getReason()).isEqualTo("Unschedulable");
        assertThat(scene.condition("PodsReady").getMessage()).contains("pod 1").contains("no node has 8 GPUs");
    }

    @Test
    void aJobRunsOnceAllItsPodsRun() {
        Scene scene = Scene.of().running();

        assertThat(scene.state()).isEqualTo(State.Running);
        assertThat(scene.status().startTime()).isEqualTo("2026-03-01T12:00:00Z");
        assertThat(scene.condition("Ready").getStatus()).isEqualTo("True");
    }

    @Test
    void aJobSucceedsWithItsAttemptAndKeepsItsPods() {
        Scene scene = Scene.of().running();
        scene.exists(ended(scene.attempt(1, pods(new Phase.Succeeded())), new Outcome.Succeeded()));

        Plan plan = scene.afterSeconds(90).decide();

        assertThat(scene.state()).isEqualTo(State.Succeeded);
        assertThat(plan.status().completionTime()).isEqualTo("2026-03-01T12:01:30Z");
        assertThat(plan.actions()).isEmpty();
        assertThat(scene.decide().actions()).isEmpty();
    }

    @Test
    void aJobWhosePodsAllSucceededNeedsNoOtherOutcome() {
        Scene scene = Scene.of().running();
        scene.exists(scene.attempt(1, pods(new Phase.Succeeded())));

        scene.decide();

        assertThat(scene.state()).isEqualTo(State.Succeeded);
    }

    @Test
    void onePodThatSucceededBeforeTheOthersIsNoFailure() {
        Scene scene = Scene.of().running();
        scene.exists(scene.attempt(1, pods(new Phase.Succeeded(), new Phase.Running(scene.now))));

        assertThat(scene.decide().actions()).isEmpty();
        assertThat(scene.state()).isEqualTo(State.Running);
    }

    @Test
    void onePodsFailureEndsTheWholeAttempt() {
        Scene scene = Scene.of().running();
        scene.exists(scene.attempt(1, pods(exit(1, "loss is NaN"), new Phase.Running(scene.now))));

        Plan plan = scene.decide();

        assertThat(scene.state()).isEqualTo(State.Restarting);
        assertThat(plan.actions()).containsExactly(new StopAttempt(1, GRACE));
    }

    @Test
    void theNextAttemptWaitsUntilTheLastOneIsGone() {
        Scene scene = Scene.of().running();
        AttemptObservation failed = scene.attempt(1, pods(exit(1, "loss is NaN")));
        scene.exists(failed).decide();

        Plan waiting = scene.exists(stopping(failed)).afterSeconds(30).decide();
        assertThat(waiting.actions()).isEmpty();

        Plan gone = scene.exists().decide();
        assertThat(gone.actions()).containsExactly(new EnsureResources(), new StartAttempt(2));
        assertThat(gone.status().attempt()).isEqualTo(2);
    }

    @Test
    void whyTheLastAttemptFailedIsStillSaidWhenItIsGone() {
        Scene scene = Scene.of().running();
        AttemptObservation failed = scene.attempt(1, pods(exit(1, "loss is NaN")));
        scene.exists(failed).decide();
        String message = scene.condition("Ready").getMessage();

        scene.exists(stopping(failed)).decide();

        assertThat(message).contains("attempt 1 failed (Crash): loss is NaN");
        assertThat(scene.condition("Ready").getMessage()).isEqualTo(message);
    }

    @Test
    void aStopThatGotLostWithItsBackEndIsAskedForAgain() {
        Scene scene = Scene.of().running();
        scene.exists(scene.attempt(1, pods(exit(1, "loss is NaN")))).decide();

        assertThat(scene.decide().actions()).containsExactly(new StopAttempt(1, GRACE));
        assertThat(scene.status().restarts().user()).isEqualTo(1);
    }

    @Test
    void aRunningAttemptThatVanishedIsReplacedAtTheInfrastructuresCost() {
        Scene scene = Scene.of().running();

        scene.exists().decide();
        Plan plan = scene.afterSeconds(10).decide();

        assertThat(plan.actions()).containsExactly(new EnsureResources(), new StartAttempt(2));
        assertThat(scene.status().restarts().infrastructure()).isEqualTo(1);
    }

    @Test
    void anAttemptThatSomebodyRemovesIsReplacedAtTheInfrastructuresCost() {
        Scene scene = Scene.of().running();

        scene.exists(stopping(scene.attempts.getFirst())).decide();

        assertThat(scene.condition("Ready").getReason()).isEqualTo("Removed");
        assertThat(scene.status().restarts().infrastructure()).isEqualTo(1);
    }

    @Test
    void aPodThatHasToStartAgainEndsTheAttempt() {
        Scene scene = Scene.of().running();
        scene.exists(scene.attempt(
                1, pods(new Phase.Running(scene.now), new Phase.Waiting("Creating", "the container is created"))));

        scene.decide();

        assertThat(scene.condition("Ready").getReason()).isEqualTo("PodLost");
    }

    @Test
    void anAttemptThatIsNotTheCurrentOneIsAlwaysStopped() {
        Scene scene = Scene.of().running();
        AttemptObservation current = scene.attempts.getFirst();
        scene.exists(current, scene.attempt(7, pods(new Phase.Running(scene.now))));

        assertThat(scene.decide().actions()).containsExactly(new StopAttempt(7, GRACE));
        assertThat(scene.state()).isEqualTo(State.Running);
    }

    @Test
    void aMissingSharedResourceIsMadeAgainUnderARunningAttempt() {
        Scene scene = Scene.of().running();
        scene.resourcesReady = false;

        assertThat(scene.decide().actions()).containsExactly(new EnsureResources());
    }

    @Test
    void anEvictedAttemptIsQueuedAgainWithoutCost() {
        Scene scene = Scene.of().running();
        AttemptObservation evicted = scene.attempt(1, new Admission.Evicted("preempted by a job of team blue"));

        Plan plan = scene.exists(evicted).decide();
        assertThat(plan.actions()).containsExactly(new StopAttempt(1, GRACE));
        assertThat(scene.state()).isEqualTo(State.Queued);

        scene.exists(stopping(evicted)).decide();
        assertThat(scene.condition("Ready").getMessage()).contains("preempted by a job of team blue");

        assertThat(scene.exists().decide().actions()).containsExactly(new EnsureResources(), new StartAttempt(2));
        assertThat(scene.status().restarts().total()).isZero();
    }

    @Test
    void aSpecThatThisReleaseCannotRunFailsBeforeAnythingExists() {
        Scene scene = Scene.unsupported();
        scene.resourcesReady = false;

        Plan plan = scene.decide();

        assertThat(plan.actions()).isEmpty();
        assertThat(scene.state()).isEqualTo(State.Failed);
        assertThat(scene.condition("Stalled").getReason()).isEqualTo("UnsupportedSpec");
        assertThat(scene.condition("Failed").getMessage()).contains("GRPO");
    }

    @Test
    void aJobThatIsBeingDeletedOnlyStops() {
        Scene scene = Scene.of().running();
        scene.job.getMetadata().setDeletionTimestamp("2026-03-01T12:00:00Z");

        assertThat(scene.decide().actions()).containsExactly(new StopAttempt(1, GRACE));
        assertThat(scene.exists().decide().actions()).isEmpty();
    }
}
