package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Action.StartAttempt;
import dev.rlvr.lifecycle.Action.StopAttempt;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.time.Duration;
import java.util.Optional;
import java.util.function.ObjIntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which failure costs what, and how long a restart waits. */
class RestartsTest {
    @ParameterizedTest(name = "exit code {0}: {1} user, {2} infrastructure, {3}")
    @CsvSource({
        "1, 1, 0, Restarting",
        "2, 0, 0, Failed",
        "42, 1, 0, Restarting",
        "75, 0, 1, Restarting",
        "137, 0, 1, Restarting",
        "143, 0, 1, Restarting",
    })
    void anExitCodeCostsTheBudgetOfWhoCausedIt(int code, int user, int infrastructure, State state) {
        Scene scene = Scene.of().running();

        scene.exists(scene.attempt(1, pods(exit(code, "last words")))).decide();

        assertThat(scene.status().restarts().user()).isEqualTo(user);
        assertThat(scene.status().restarts().infrastructure()).isEqualTo(infrastructure);
        assertThat(scene.state()).isEqualTo(state);
        assertThat(scene.condition("Ready").getMessage()).contains("last words");
    }

    @Test
    void aPreemptedPodDoesNotCostTheUserBudget() {
        Scene scene = Scene.of("restarts: {user: 0}").running();
        Failure preempted = new Failure(Cause.Infrastructure, "Preempted", "a pod of higher priority took its place");

        scene.exists(scene.attempt(1, pods(new Phase.Failed(preempted), new Phase.Running(scene.now))))
                .decide();

        assertThat(scene.state()).isEqualTo(State.Restarting);
        assertThat(scene.status().restarts().user()).isZero();
    }

    @Test
    void aCrashThatTakesItsPeersAlongIsTheUsersFailure() {
        Scene scene = Scene.of().running();

        scene.exists(scene.attempt(1, pods(exit(75, "lost rank 1"), exit(1, "loss is NaN"))))
                .decide();

        assertThat(scene.condition("Ready").getMessage()).contains("loss is NaN");
        assertThat(scene.status().restarts().user()).isEqualTo(1);
    }

    @Test
    void theOutcomeTellsTheFailureWhereThePodsAreGone() {
        Scene scene = Scene.of().running();
        Failure lost = new Failure(Cause.Infrastructure, "NodeLost", "node gpu-7 went away");

        scene.exists(Scene.ended(scene.attempt(1, new Admission.Admitted()), new Outcome.Failed(lost)))
                .decide();

        assertThat(scene.condition("Ready").getReason()).isEqualTo("NodeLost");
    }

    @Test
    void aUsedUpBudgetFailsTheJobWithTheLastFailure() {
        Scene scene = Scene.of("restarts: {user: 1}").running();
        crash(scene, 1);
        scene.exists().decide();

        crash(scene, 2);

        assertThat(scene.state()).isEqualTo(State.Failed);
        assertThat(scene.condition("Failed").getReason()).isEqualTo("Crash");
        assertThat(scene.condition("Failed").getMessage())
                .isEqualTo("crash of attempt 2 (attempt 2; spec.lifecycle.restarts.user: 1 is used up)");
    }

    @Test
    void oneBudgetDoesNotPayForTheOther() {
        Scene scene = Scene.of("restarts: {user: 0, infrastructure: 1}").running();
        scene.exists(scene.attempt(1, pods(exit(75, "lost rank 1")))).decide();
        assertThat(scene.state()).isEqualTo(State.Restarting);
        scene.exists().decide();

        crash(scene, 2);

        assertThat(scene.state()).isEqualTo(State.Failed);
    }

    @Test
    void aCheckpointOfTheAttemptGivesTheBudgetBack() {
        Scene scene = Scene.of("restarts: {user: 1}").running();
        crash(scene, 1);
        scene.exists().decide();
        scene.afterSeconds(60).checkpointAt(scene.now);

        crash(scene, 2);

        assertThat(scene.state()).isEqualTo(State.Restarting);
        Restarts restarts = scene.status().restarts();
        assertThat(restarts.user()).isEqualTo(1);
        assertThat(restarts.total()).isEqualTo(2);
    }

    @Test
    void aCheckpointOfAnEarlierAttemptGivesNothingBack() {
        Scene scene = Scene.of("restarts: {user: 1}").running();
        scene.checkpointAt(scene.now);
        crash(scene, 1);
        scene.exists().decide();

        crash(scene, 2);

        assertThat(scene.state()).isEqualTo(State.Failed);
    }

    @Test
    void restartsAreFurtherAndFurtherApartUntilACheckpointIsMade() {
        assertWaitsUntilACheckpoint(
                Scene.of("restarts: {user: 100}").running(), RestartsTest::crash, 0, 10, 20, 40, 80, 160, 300, 300);
    }

    @Test
    void anAttemptThatWasRemovedIsFollowedOnlyWhenNoMorePodsOfItCanCome() {
        Scene scene = Scene.of().running();

        Plan plan = scene.exists().decide();

        assertThat(plan.lookAgainAfter()).contains(Duration.ofSeconds(10));
        assertThat(scene.condition("Ready").getMessage())
                .contains("removed from outside")
                .endsWith("attempt 2 begins at 2026-03-01T12:00:10Z, once attempt 1 is gone");
        assertThat(waitForAttempt(scene, 2)).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void aPodOfARemovedAttemptThatStillComesIsStoppedAndWaitedFor() {
        Scene scene = Scene.of().running();
        scene.exists().decide();
        AttemptObservation late = scene.afterSeconds(3).attempt(1, pods(new Phase.Waiting("Creating", "its pod came")));

        assertThat(scene.exists(late).decide().actions()).containsExactly(new StopAttempt(1, Duration.ofMinutes(2)));
        scene.exists(Scene.stopping(late)).afterSeconds(2).decide();

        assertThat(scene.condition("Ready").getReason()).isEqualTo("Removed");
        assertThat(waitForAttempt(scene, 2)).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void aSuspensionInBetweenDoesNotMakeARemovedAttemptBeFollowedAtOnce() {
        Scene scene = Scene.of().running();
        scene.exists().decide();
        scene.suspend(true).afterSeconds(1).decide();
        assertThat(scene.state()).isEqualTo(State.Suspended);

        scene.suspend(false).afterSeconds(2).decide();

        assertThat(scene.condition("Ready").getMessage())
                .isEqualTo("attempt 2 begins at 2026-03-01T12:00:10Z,"
                        + " when no more pods can come of attempt 1, which was removed from outside");
        assertThat(waitForAttempt(scene, 2)).isEqualTo(Duration.ofSeconds(7));
    }

    @Test
    void attemptsThatAreRemovedAgainAndAgainAreAsFarApartAsOthers() {
        assertWaitsUntilACheckpoint(Scene.of().running(), RestartsTest::remove, 10, 10, 20, 40);
    }

    /** Attempts end one after the other, each is followed after so long, and a crash after a checkpoint at once. */
    private static void assertWaitsUntilACheckpoint(Scene scene, ObjIntConsumer<Scene> end, long... seconds) {
        for (int i = 0; i < seconds.length; i++) {
            end.accept(scene, i + 1);
            assertThat(waitForAttempt(scene, i + 2)).isEqualTo(Duration.ofSeconds(seconds[i]));
        }

        scene.afterSeconds(60).checkpointAt(scene.now);
        crash(scene, seconds.length + 1);

        assertThat(waitForAttempt(scene, seconds.length + 2)).isZero();
    }

    /** Follows lookAgainAfter, as a back end does, until the attempt starts. */
    private static Duration waitForAttempt(Scene scene, int number) {
        Duration waited = Duration.ZERO;
        scene.exists();
        for (int looks = 0; looks < 3; looks++) {
            Plan plan = scene.decide();
            if (plan.actions().contains(new StartAttempt(number))) {
                return waited;
            }
            Optional<Duration> wait = plan.lookAgainAfter();
            assertThat(wait).isPresent();
            scene.after(wait.get());
            waited = waited.plus(wait.get());
        }
        throw new AssertionError("attempt " + number + " never began");
    }

    /** Somebody removes an attempt that runs. */
    private static void remove(Scene scene, int attempt) {
        scene.exists(scene.attempt(attempt, pods(new Phase.Running(scene.now)))).decide();
        scene.exists().decide();
    }

    private static void crash(Scene scene, int attempt) {
        scene.exists(scene.attempt(attempt, pods(exit(1, "crash of attempt " + attempt))))
                .decide();
    }
}
