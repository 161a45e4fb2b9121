package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static dev.rlvr.lifecycle.Scene.stopping;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Action.EnsureResources;
import dev.rlvr.lifecycle.Action.StartAttempt;
import dev.rlvr.lifecycle.Action.StopAttempt;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Suspending and going on. */
class SuspensionTest {
    @Test
    void aJobThatIsBornSuspendedStartsNothing() {
        Scene scene = Scene.of("suspend: true");

        assertThat(scene.decide().actions()).isEmpty();
        assertThat(scene.state()).isEqualTo(State.Suspended);

        assertThat(scene.suspend(false).decide().actions()).containsExactly(new EnsureResources(), new StartAttempt(1));
    }

    @Test
    void aSuspendedJobStopsWithTheGraceItsCheckpointNeeds() {
        Scene scene = Scene.of("stopGracePeriod: 5m").running();
        AttemptObservation running = scene.attempts.getFirst();

        assertThat(scene.suspend(true).decide().actions()).containsExactly(new StopAttempt(1, Duration.ofMinutes(5)));
        assertThat(scene.state()).isEqualTo(State.Running);
        assertThat(scene.condition("Ready").getReason()).isEqualTo("Suspending");
        assertThat(scene.condition("Running").getStatus()).isEqualTo("False");

        assertThat(scene.exists(stopping(running)).decide().actions()).isEmpty();
        scene.exists().decide();
        assertThat(scene.state()).isEqualTo(State.Suspended);
        assertThat(scene.condition("Suspended").getStatus()).isEqualTo("True");
    }

    @ParameterizedTest
    @ValueSource(ints = {75, 143, 137, 1})
    void howASuspendedAttemptExitsCostsNothing(int code) {
        Scene scene = Scene.of("restarts: {user: 0, infrastructure: 0}").running();
        scene.suspend(true).decide();

        scene.exists(stopping(scene.attempt(1, pods(exit(code, "stopped"))))).decide();
        scene.exists().decide();

        assertThat(scene.state()).isEqualTo(State.Suspended);
        assertThat(scene.status().restarts().total()).isZero();
    }

    @Test
    void goingOnIsANewAttemptWithoutCost() {
        Scene scene = Scene.of().running();
        scene.suspend(true).decide();
        scene.exists().decide();

        Plan plan = scene.suspend(false).afterSeconds(3600).decide();

        assertThat(plan.actions()).containsExactly(new EnsureResources(), new StartAttempt(2));
        assertThat(scene.status().restarts().total()).isZero();
    }

    @Test
    void aChangeOfMindWhileStoppingStillWaitsUntilTheAttemptIsGone() {
        Scene scene = Scene.of().running();
        AttemptObservation running = scene.attempts.getFirst();
        scene.suspend(true).decide();

        scene.exists(stopping(running)).suspend(false);
        assertThat(scene.decide().actions()).isEmpty();
        assertThat(scene.condition("Ready").getReason()).isEqualTo("WaitingForRemoval");

        assertThat(scene.exists().decide().actions()).containsExactly(new EnsureResources(), new StartAttempt(2));
    }

    @Test
    void anAttemptThatWasNotSeenBeforeTheSuspensionKeepsItsNumber() {
        Scene scene = Scene.of();
        scene.decide();
        scene.suspend(true).decide();
        assertThat(scene.state()).isEqualTo(State.Suspended);

        assertThat(scene.suspend(false).decide().actions()).containsExactly(new EnsureResources(), new StartAttempt(1));
    }

    @Test
    void anAttemptThatAppearsInASuspendedJobIsStopped() {
        Scene scene = Scene.of();
        scene.decide();
        scene.suspend(true).decide();

        Plan plan = scene.exists(scene.attempt(1, pods())).decide();

        assertThat(plan.actions()).containsExactly(new StopAttempt(1, Duration.ofMinutes(2)));
    }

    @Test
    void aSuspendedJobDoesNotRunIntoItsActiveDeadline() {
        Scene scene = Scene.of("activeDeadline: 1h").running();
        scene.suspend(true).decide();

        scene.exists().after(Duration.ofDays(2)).decide();

        assertThat(scene.state()).isEqualTo(State.Suspended);
    }
}
