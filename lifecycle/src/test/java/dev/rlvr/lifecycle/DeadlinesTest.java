package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.pods;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Action.StopAttempt;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What happens when something takes too long, and when a job asks to be looked at again. */
class DeadlinesTest {
    private static final Phase UNSCHEDULABLE = new Phase.Waiting("Unschedulable", "no node has 8 GPUs");

    @Test
    void podsThatDoNotStartInTimeAreAFailureOfTheInfrastructure() {
        Scene scene = Scene.of("startDeadline: 10m");
        scene.decide();
        scene.exists(scene.attempt(1, pods(UNSCHEDULABLE)));

        assertThat(scene.decide().lookAgainAfter()).contains(Duration.ofMinutes(10));
        scene.afterSeconds(599).decide();
        assertThat(scene.state()).isEqualTo(State.Starting);

        scene.afterSeconds(1).decide();
        assertThat(scene.state()).isEqualTo(State.Restarting);
        assertThat(scene.condition("Ready").getMessage())
                .contains("Unschedulable")
                .contains("no node has 8 GPUs");
        assertThat(scene.status().restarts().infrastructure()).isEqualTo(1);
    }

    @Test
    void waitingForQuotaDoesNotCountAsStarting() {
        Scene scene = Scene.of("startDeadline: 10m");
        scene.decide();
        AttemptObservation queued = scene.attempt(1, new Admission.WaitingForQuota("the queue is full"));
        assertThat(scene.exists(queued).decide().lookAgainAfter()).isEmpty();
        scene.after(Duration.ofDays(3)).decide();
        assertThat(scene.state()).isEqualTo(State.Queued);

        AttemptObservation admitted = new AttemptObservation(
                1, queued.createdAt(), new Admission.Admitted(), false, pods(UNSCHEDULABLE), queued.outcome());
        assertThat(scene.exists(admitted).decide().lookAgainAfter()).contains(Duration.ofMinutes(10));

        scene.after(Duration.ofMinutes(10)).decide();
        assertThat(scene.state()).isEqualTo(State.Restarting);
    }

    @Test
    void aJobThatRunsTooLongFailsAndStops() {
        Scene scene = Scene.of("activeDeadline: 1d", "stallDeadline: 9d").running();

        Plan plan = scene.after(Duration.ofDays(1)).decide();

        assertThat(scene.state()).isEqualTo(State.Failed);
        assertThat(scene.condition("Failed").getReason()).isEqualTo("DeadlineExceeded");
        assertThat(plan.actions()).containsExactly(new StopAttempt(1, Duration.ofMinutes(2)));
    }

    @Test
    void theActiveDeadlineCountsFromTheFirstStartOfAllAttempts() {
        Scene scene = Scene.of("activeDeadline: 1h").running();
        scene.after(Duration.ofMinutes(40)).exists().decide();
        scene.decide();
        scene.exists(scene.attempt(2, pods(new Phase.Running(scene.now))));

        assertThat(scene.decide().lookAgainAfter()).contains(Duration.ofMinutes(20));
        scene.after(Duration.ofMinutes(20)).decide();
        assertThat(scene.state()).isEqualTo(State.Failed);
    }

    @Test
    void aHangIsAFailureOfTheInfrastructure() {
        Scene scene = Scene.of("stallDeadline: 30m").running();
        scene.afterSeconds(1200).progressAt(scene.now);
        assertThat(scene.decide().lookAgainAfter()).contains(Duration.ofMinutes(30));

        scene.afterSeconds(1799).decide();
        assertThat(scene.state()).isEqualTo(State.Running);

        scene.afterSeconds(1).decide();
        assertThat(scene.condition("Ready").getReason()).isEqualTo("Stalled");
        assertThat(scene.status().restarts().infrastructure()).isEqualTo(1);
    }

    @Test
    void progressOfAnEarlierAttemptIsNoHangOfThisOne() {
        Scene scene = Scene.of("stallDeadline: 30m").progressAt(Scene.START.minusSeconds(86_400));

        assertThat(scene.running().decide().lookAgainAfter()).contains(Duration.ofMinutes(30));
        assertThat(scene.state()).isEqualTo(State.Running);
    }

    @Test
    void anAttemptWhoseLastPodNeverEndsIsAHangToo() {
        Scene scene = Scene.of("stallDeadline: 30m").running();
        scene.exists(scene.attempt(1, List.of(new PodObservation(0, new Phase.Succeeded()))));
        assertThat(scene.decide().lookAgainAfter()).contains(Duration.ofMinutes(30));

        scene.after(Duration.ofMinutes(30)).decide();

        assertThat(scene.state()).isEqualTo(State.Restarting);
    }

    @Test
    void theNearestDeadlineIsWhenToLookAgain() {
        Scene scene = Scene.of("activeDeadline: 20m", "stallDeadline: 30m").running();

        assertThat(scene.decide().lookAgainAfter()).contains(Duration.ofMinutes(20));
    }

    @Test
    void figuresWithoutAReadableTimeDoNotHaltTheJob() {
        Scene scene = Scene.of("stallDeadline: 30m").running().progressAt("yesterday");

        assertThat(scene.decide().lookAgainAfter()).contains(Duration.ofMinutes(30));
    }
}
