package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@code kubectl describe} tells of a job's life. */
@RealApiServer
class EventsTest {
    private final ApiServer api;

    EventsTest(ApiServer api) {
        this.api = api;
    }

    private static List<Event> events(Scene scene) {
        return scene.client().events().v1().events().inNamespace(scene.namespace()).list().getItems().stream()
                .sorted(Comparator.comparing(event -> event.getEventTime().getTime()))
                .toList();
    }

    private static List<String> reasons(Scene scene) {
        return events(scene).stream().map(Event::getReason).toList();
    }

    @Test
    void aLifeWithACrashIsToldOncePerTransition() {
        try (Scene scene = Scene.open(
                        api, attempt -> attempt == 1 ? new Ending.Exits(1, "loss is NaN") : new Ending.Succeeds());
                RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
            scene.create();
            scene.await(State.Succeeded);
            Awaiting.until("the last event", () -> reasons(scene).contains("Succeeded"), () -> reasons(scene));

            assertThat(reasons(scene))
                    .containsSubsequence("Started", "Restarting", "Started", "Succeeded")
                    .doesNotContain("Failed");
            assertThat(reasons(scene)).filteredOn("Started"::equals).hasSize(2);
            assertThat(events(scene))
                    .filteredOn(event -> event.getReason().equals("Restarting"))
                    .singleElement()
                    .satisfies(event -> {
                        assertThat(event.getType()).isEqualTo("Warning");
                        assertThat(event.getNote()).contains("attempt 1 failed (Crash): loss is NaN");
                        assertThat(event.getRelated().getKind()).isEqualTo("Job");
                        assertThat(event.getRelated().getName()).isEqualTo("sum-1");
                    });
            assertThat(scene.api().kubectl().run("describe", "rlvr", "sum", "-n", scene.namespace()))
                    .containsPattern("Normal +Started .*attempt 1 begins without a checkpoint")
                    .containsPattern("Warning +Restarting .*loss is NaN")
                    .containsPattern("Normal +Succeeded .*all steps are done");
            assertThat(operator.writes().sent())
                    .filteredOn(write -> write.contains("/events"))
                    .allMatch(write -> write.startsWith("POST /apis/events.k8s.io/v1/"))
                    .hasSameSizeAs(events(scene));
        }
    }

    @Test
    void aJobGoesOnWhereEventsAreForbidden() {
        try (Scene scene = Scene.open(api, attempt -> new Ending.Succeeds())) {
            OperatorRights.grantWithout(scene.client(), scene.namespace(), "events.k8s.io");
            try (RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
                scene.create();
                scene.await(State.Succeeded);
                assertThat(operator.writes().sent()).anyMatch(write -> write.contains("/events"));
                assertThat(events(scene)).isEmpty();
            }
        }
    }
}
