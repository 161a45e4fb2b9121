package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.net.HttpURLConnection;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Somebody's Job has the name that an attempt's would have. */
@RealApiServer
class ObjectInTheWayTest {
    private static final String NAME = "sum-1";

    private final Scene scene;

    ObjectInTheWayTest(ApiServer api) {
        this.scene = Scene.open(api, attempt -> new Ending.Succeeds());
    }

    @BeforeEach
    void somebodysJobIsThere() {
        scene.client()
                .resource(new JobBuilder()
                        .withNewMetadata()
                        .withNamespace(scene.namespace())
                        .withName(NAME)
                        .endMetadata()
                        .withNewSpec()
                        .withSuspend(true)
                        .withNewTemplate()
                        .withNewSpec()
                        .withRestartPolicy("Never")
                        .addNewContainer()
                        .withName("somebodys")
                        .withImage("somebodys")
                        .endContainer()
                        .endSpec()
                        .endTemplate()
                        .endSpec()
                        .build())
                .create();
    }

    @AfterEach
    void end() {
        scene.close();
    }

    private void remove() {
        scene.client()
                .batch()
                .v1()
                .jobs()
                .inNamespace(scene.namespace())
                .withName(NAME)
                .delete();
    }

    private static boolean creates(String write) {
        return write.startsWith("POST") && write.endsWith("/jobs");
    }

    @Test
    void itIsNeverTouchedAndTheAttemptBeginsOnceItIsRemoved() {
        try (RunningOperator operator = RunningOperator.start(scene.api(), scene.namespace())) {
            scene.create();
            Awaiting.until(
                    "a second try",
                    () -> operator.writes().sent().stream()
                                    .filter(ObjectInTheWayTest::creates)
                                    .count()
                            > 1,
                    () -> operator.writes().sent());
            assertThat(scene.objects()).contains("Job/" + NAME).noneMatch(object -> object.startsWith("Pod/"));
            remove();
            scene.await(State.Succeeded);
        }
    }

    @Test
    void removedRightAfterItWasInTheWayItIsNotWaitedForForEver() {
        Interceptor removing = new Interceptor() {
            @Override
            public CompletableFuture<Boolean> afterFailure(
                    BasicBuilder builder, HttpResponse<?> response, RequestTags tags) {
                boolean refused = response.code() == HttpURLConnection.HTTP_CONFLICT
                        && response.request().method().equals("POST")
                        && response.request().uri().getPath().endsWith("/jobs");
                return CompletableFuture.supplyAsync(() -> {
                    if (refused) {
                        remove();
                    }
                    return false;
                });
            }
        };
        try (RunningOperator operator =
                RunningOperator.start(scene.api(), scene.namespace(), new Writes(Integer.MAX_VALUE), removing)) {
            scene.create();
            scene.await(State.Succeeded);
            assertThat(operator.writes().sent())
                    .filteredOn(ObjectInTheWayTest::creates)
                    .hasSize(2);
        }
    }
}
