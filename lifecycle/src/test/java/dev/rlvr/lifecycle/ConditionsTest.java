package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.Scene.ended;
import static dev.rlvr.lifecycle.Scene.exit;
import static dev.rlvr.lifecycle.Scene.pods;
import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.PodObservation.Phase;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the conditions say, and when they change. */
class ConditionsTest {
    private static final Phase WAITING = new Phase.Waiting("ImagePull", "image trainer:9 does not exist");

    static Stream<Arguments> situations() {
        return Stream.of(
                situation("Reconciling", s -> {}),
                situation("Reconciling", s -> s.exists(s.attempt(1, new Admission.WaitingForQuota("full")))),
                situation("Reconciling QuotaReserved", s -> s.exists(s.attempt(1, pods(WAITING)))),
                situation(
                        "Ready QuotaReserved PodsReady Running",
                        s -> s.exists(s.attempt(1, pods(new Phase.Running(s.now))))),
                situation(
                        "Ready QuotaReserved PodsReady Running Checkpointed",
                        s -> s.exists(s.attempt(1, pods(new Phase.Running(s.now))))
                                .checkpointAt(s.now)),
                situation("Reconciling", s -> s.exists(s.attempt(1, pods(exit(1, "crash"))))),
                situation("Suspended", s -> s.suspend(true)),
                situation("Reconciling", s -> s.exists(s.attempt(1, pods())).suspend(true)),
                situation("Stalled Failed", s -> s.exists(s.attempt(1, pods(exit(2, "bad"))))),
                situation(
                        "Ready Complete",
                        s -> s.exists(ended(s.attempt(1, pods(new Phase.Succeeded())), new Outcome.Succeeded()))));
    }

    private static Arguments situation(String conditions, Consumer<Scene> change) {
        return Arguments.of(conditions, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("situations")
    void exactlyTheseConditionsAreTrue(String expected, Consumer<Scene> change) {
        Scene scene = Scene.of();
        scene.decide();
        change.accept(scene);

        List<Condition> all = scene.decide().status().conditions();

        assertThat(all.stream()
                        .filter(c -> c.getStatus().equals("True"))
                        .map(Condition::getType)
                        .collect(Collectors.joining(" ")))
                .isEqualTo(expected);
        assertThat(all).hasSize(10).allSatisfy(c -> {
            assertThat(c.getReason()).matches("[A-Z][A-Za-z]*");
            assertThat(c.getMessage()).isNotBlank().doesNotContain("\n");
            assertThat(c.getObservedGeneration())
                    .isEqualTo(scene.job.getMetadata().getGeneration());
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("situations")
    void anIdleJobsStatusStaysEqualSoThatNothingIsWritten(String conditions, Consumer<Scene> change) {
        Scene scene = Scene.of();
        scene.decide();
        change.accept(scene);
        RLVRJobStatus settled = scene.decide().status();

        for (int i = 0; i < 10; i++) {
            assertThat(scene.afterSeconds(7).decide().status()).isEqualTo(settled);
        }
    }

    @Test
    void aTimeChangesOnlyTogetherWithTrueOrFalse() {
        Scene scene = Scene.of();
        scene.decide();
        scene.afterSeconds(60).exists(scene.attempt(1, pods(WAITING))).decide();
        assertThat(scene.condition("Ready").getLastTransitionTime()).isEqualTo("2026-03-01T12:00:00Z");
        assertThat(scene.condition("QuotaReserved").getLastTransitionTime()).isEqualTo("2026-03-01T12:01:00Z");

        scene.afterSeconds(60)
                .exists(scene.attempt(1, pods(new Phase.Running(scene.now))))
                .decide();

        assertThat(scene.condition("Ready").getLastTransitionTime()).isEqualTo("2026-03-01T12:02:00Z");
        assertThat(scene.condition("QuotaReserved").getLastTransitionTime()).isEqualTo("2026-03-01T12:01:00Z");
    }

    @Test
    void aTrainersLastWordsFitOnOneLine() {
        Scene scene = Scene.of();
        scene.decide();
        scene.exists(scene.attempt(1, pods(exit(2, "first\n  second" + "x".repeat(5000)))))
                .decide();

        assertThat(scene.condition("Failed").getMessage())
                .startsWith("first second")
                .hasSize(1000)
                .endsWith("...");
    }

    @Test
    void theTrainersPartOfTheStatusIsPassedThrough() {
        Scene scene = Scene.of().running();
        scene.checkpointAt(scene.now).progressAt(scene.now);
        scene.storeTrainersPart();

        RLVRJobStatus status = scene.exists().decide().status();

        assertThat(status.progress()).isEqualTo(scene.progress.orElseThrow());
        assertThat(status.checkpoint()).isEqualTo(scene.checkpoint.orElseThrow());
    }
}
