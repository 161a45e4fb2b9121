package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.ended;
import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static dev.rlvr.lifecycle.Scene.stopping;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Action.StartServers;
import dev.rlvr.lifecycle.Action.StopServers;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** When rollout servers come and go, and what a job says while it waits for them. */
class ServersTest {
    private static final StartServers START = new StartServers();
    private static final StopServers STOP = new StopServers();

    private static Optional<ServersObservation> servers(int usable) {
        return Optional.of(new ServersObservation(false, usable, Optional.empty()));
    }

    /** A job whose trainers run, and whose servers exist, so many of them ready. */
    private static Scene trainersRun(int usable, String... lifecycle) {
        Scene scene = Scene.served(lifecycle);
        scene.decide();
        scene.exists(scene.attempt(1, pods(new Phase.Running(scene.now))));
        scene.servers = servers(usable);
        scene.decide();
        return scene;
    }

    @Test
    void theyAreStartedOnceTheAttemptMayRun() {
        Scene scene = Scene.served();
        assertThat(scene.decide().actions()).doesNotContain(START);

        scene.exists(scene.attempt(1, new Admission.WaitingForQuota("queue research is full")));
        assertThat(scene.decide().actions()).doesNotContain(START);

        scene.exists(scene.attempt(1, pods(new Phase.Waiting("Creating", "its node prepares it"))));
        assertThat(scene.decide().actions()).containsExactly(START);
        assertThat(scene.decide().actions()).as("not seen yet").containsExactly(START);

        scene.servers = servers(0);
        assertThat(scene.decide().actions()).isEmpty();
    }

    @Test
    void aJobThatSamplesItselfHasNone() {
        Scene scene = Scene.of().running();
        assertThat(scene.decide().actions()).isEmpty();
        assertThat(scene.state()).isEqualTo(State.Running);
    }

    @Test
    void aJobRunsOnceOneOfThemCanAnswer() {
        Scene scene = trainersRun(0);
        assertThat(scene.state()).isEqualTo(State.Starting);
        assertThat(scene.condition("PodsReady").getMessage()).isEqualTo("none of 2 rollout servers is ready yet");

        scene.servers = servers(1);
        scene.decide();
        assertThat(scene.state()).isEqualTo(State.Running);

        scene.servers = servers(0);
        scene.decide();
        assertThat(scene.state())
                .as("the trainer looks after servers that fail")
                .isEqualTo(State.Running);
    }

    @Test
    void whatAServerWaitsForIsTheJobsMessage() {
        Scene scene = trainersRun(0);
        Phase.Waiting waiting = new Phase.Waiting("ImagePull", "image sglang:none: ErrImagePull");
        scene.servers = Optional.of(new ServersObservation(false, 0, Optional.of(waiting)));

        scene.decide();

        assertThat(scene.condition("Ready").getReason()).isEqualTo("ImagePull");
        assertThat(scene.condition("Ready").getMessage())
                .isEqualTo("a rollout server waits: image sglang:none: ErrImagePull");
    }

    @Test
    void serversThatNeverComeEndTheAttemptAtItsStartDeadline() {
        Scene scene = trainersRun(0, "startDeadline: 10m", "stallDeadline: 5m");
        scene.after(Duration.ofMinutes(9)).decide();
        assertThat(scene.state()).as("waiting is no hang").isEqualTo(State.Starting);

        Plan plan = scene.after(Duration.ofMinutes(2)).decide();

        assertThat(plan.status().state()).isEqualTo(State.Restarting);
        assertThat(scene.condition("Ready").getMessage())
                .contains("startDeadline 10m")
                .contains("rollout servers");
        assertThat(plan.actions()).as("they may still come").doesNotContain(STOP);
    }

    @Test
    void aHangIsMeasuredFromWhenThereWasSomebodyToAnswer() {
        Scene scene = trainersRun(0, "startDeadline: 1h", "stallDeadline: 30m");
        scene.servers = servers(2);
        scene.after(Duration.ofMinutes(50)).decide();
        assertThat(scene.state()).isEqualTo(State.Running);
        scene.after(Duration.ofMinutes(29)).decide();
        assertThat(scene.state()).isEqualTo(State.Running);
        scene.after(Duration.ofMinutes(2)).decide();
        assertThat(scene.condition("Ready").getReason()).isEqualTo("Stalled");
    }

    @Test
    void theyStayOverARestart() {
        Scene scene = trainersRun(2);
        scene.exists(scene.attempt(1, pods(exit(1, "loss is NaN"))));
        assertThat(scene.decide().actions()).doesNotContain(STOP);
        scene.exists();
        assertThat(scene.afterSeconds(600).decide().actions())
                .contains(new Action.StartAttempt(2))
                .doesNotContain(STOP);
    }

    @Test
    void theyGoWhenTheJobIsSuspendedEndsOrLosesItsQuota() {
        Scene suspended = trainersRun(2);
        assertThat(suspended.suspend(true).decide().actions()).contains(STOP);
        suspended.servers = Optional.of(new ServersObservation(true, 0, Optional.empty()));
        assertThat(suspended.exists().decide().actions()).as("they are going").isEmpty();

        Scene done = trainersRun(2);
        done.exists(ended(done.attempt(1, pods(new Phase.Succeeded())), new Outcome.Succeeded()));
        assertThat(done.decide().actions()).containsExactly(STOP);
        assertThat(done.decide().actions()).as("as long as they are seen").containsExactly(STOP);

        Scene failed = trainersRun(2, "restarts: {user: 0}");
        failed.exists(failed.attempt(1, pods(exit(1, "loss is NaN"))));
        assertThat(failed.decide().actions()).contains(STOP);

        Scene evicted = trainersRun(2);
        evicted.exists(evicted.attempt(1, new Admission.WaitingForQuota("preempted")));
        assertThat(evicted.decide().actions()).contains(STOP);
    }

    @Test
    void serversThatAreStillGoingAreNotTakenForNewOnes() {
        Scene scene = trainersRun(2);
        scene.suspend(true).decide();
        scene.exists(stopping(scene.attempts.getFirst())).decide();
        scene.exists().decide();
        scene.suspend(false).decide();
        scene.exists(scene.attempt(2, pods(new Phase.Running(scene.now))));
        scene.servers = Optional.of(new ServersObservation(true, 2, Optional.empty()));

        assertThat(scene.decide().actions()).isEmpty();
        assertThat(scene.state()).isEqualTo(State.Starting);

        scene.servers = Optional.empty();
        assertThat(scene.decide().actions()).containsExactly(START);
    }
}
