package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.ended;
import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Action.RemoveResources;
import dev.rlvr.lifecycle.Action.StopAttempt;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The end is final, and what is left is cleared away. */
class EndTest {
    private static final Duration GRACE = Duration.ofMinutes(2);

    @Test
    void anEndedJobNeverStartsAgain() {
        Scene scene = failed();
        scene.exists();

        assertThat(scene.after(Duration.ofDays(30)).decide().actions()).isEmpty();
        assertThat(scene.state()).isEqualTo(State.Failed);
    }

    @Test
    void suspendingAnEndedJobOnlyAnswersToTheNewSpec() {
        Scene scene = succeeded();
        RLVRJobStatus before = scene.status();

        Plan plan = scene.suspend(true).afterSeconds(10).decide();

        assertThat(plan.actions()).isEmpty();
        assertThat(plan.status().state()).isEqualTo(State.Succeeded);
        assertThat(plan.status().observedGeneration()).isEqualTo(2);
        assertThat(plan.status().completionTime()).isEqualTo(before.completionTime());
        assertThat(scene.condition("Ready").getObservedGeneration()).isEqualTo(2);
    }

    @Test
    void whateverExistsOfAFailedJobIsStoppedAgainAndAgain() {
        Scene scene = failed();

        assertThat(scene.decide().actions()).containsExactly(new StopAttempt(1, GRACE));
        assertThat(scene.decide().actions()).containsExactly(new StopAttempt(1, GRACE));
    }

    @Test
    void aCheckpointThatIsSavedWhileAFailedJobStopsGivesNothingBack() {
        Scene scene = Scene.of("restarts: {infrastructure: 1}").running();
        scene.exists(scene.attempt(1, pods(exit(75, "lost a peer")))).decide();
        scene.exists().decide();
        scene.exists(scene.attempt(2, pods(exit(75, "lost a peer"), new Phase.Running(scene.now))))
                .decide();
        assertThat(scene.state()).isEqualTo(State.Failed);
        RLVRJobStatus end = scene.status();

        scene.afterSeconds(5).checkpointAt(scene.now).decide();

        assertThat(scene.status().restarts()).isEqualTo(end.restarts());
    }

    @Test
    void whatStillRunsOfASucceededJobIsStopped() {
        Scene scene = succeeded();
        scene.exists(ended(
                scene.attempt(1, pods(new Phase.Succeeded(), new Phase.Running(scene.now))), new Outcome.Succeeded()));

        assertThat(scene.decide().actions()).containsExactly(new StopAttempt(1, GRACE));
    }

    @Test
    void finishedPodsAndResourcesGoWhenTheTimeToLiveIsOver() {
        Scene scene = succeeded("ttlAfterFinished: 24h");
        assertThat(scene.decide().lookAgainAfter()).contains(Duration.ofHours(24));

        Plan plan = scene.after(Duration.ofHours(24)).decide();

        assertThat(plan.actions()).containsExactly(new StopAttempt(1, GRACE), new RemoveResources());
        assertThat(plan.lookAgainAfter()).isEmpty();
        assertThat(scene.exists().decide().status().state()).isEqualTo(State.Succeeded);
    }

    @Test
    void withoutATimeToLiveFinishedPodsStay() {
        Scene scene = succeeded();

        Plan plan = scene.after(Duration.ofDays(365)).decide();

        assertThat(plan.actions()).isEmpty();
        assertThat(plan.lookAgainAfter()).isEmpty();
    }

    private static Scene succeeded(String... lifecycle) {
        Scene scene = Scene.of(lifecycle).running();
        scene.exists(ended(scene.attempt(1, pods(new Phase.Succeeded())), new Outcome.Succeeded()));
        scene.decide();
        return scene;
    }

    private static Scene failed() {
        Scene scene = Scene.of().running();
        scene.exists(scene.attempt(1, pods(exit(2, "data.source: no such file"), new Phase.Running(scene.now))));
        scene.decide();
        return scene;
    }
}
