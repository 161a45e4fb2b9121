package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.net.URI;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The cache of pods does not fill for a while, as where there are thousands. */
@RealApiServer
class LateCachesTest {
    private final Scene scene;
    private final AtomicInteger refused = new AtomicInteger();
    private volatile boolean refuses = true;

    LateCachesTest(ApiServer api) {
        this.scene = Scene.open(api, attempt -> new Ending.RunsOn());
    }

    @AfterEach
    void end() {
        scene.close();
    }

    private RunningOperator operator() {
        return RunningOperator.start(scene.api(), scene.namespace(), new Writes(Integer.MAX_VALUE), new Interceptor() {
            @Override
            public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
                if (refuses && fillsPods(request.uri())) {
                    refused.incrementAndGet();
                    throw new IllegalStateException("not yet");
                }
            }
        });
    }

    /** Only caches read in pages. */
    private static boolean fillsPods(URI uri) {
        return uri.getPath().endsWith("/pods")
                && uri.getQuery() != null
                && uri.getQuery().contains("limit=");
    }

    private void awaitRefusals() {
        int seen = refused.get();
        Awaiting.until("two more tries", () -> refused.get() >= seen + 2, refused::get);
    }

    @Test
    void meanwhileAJobThatNobodyHasLookedAtBegins() {
        try (RunningOperator operator = operator()) {
            scene.create();
            Awaiting.until("pods", () -> scene.objects().contains("Pod/sum-1-0-played"), scene::objects);
            awaitRefusals();
            List<String> writes = operator.writes().sent();
            awaitRefusals();
            assertThat(operator.writes().sent()).isEqualTo(writes);
            assertThat(scene.job().getStatus().state()).isEqualTo(State.Queued);
            refuses = false;
            scene.await(State.Running);
            Awaiting.until("its binding", () -> scene.objects().contains("RoleBinding/rlvr-sum"), scene::objects);
        }
    }

    @Test
    void meanwhileAJobThatRunsIsLeftAloneAndThenItIsLookedAt() {
        refuses = false;
        try (RunningOperator _ = operator()) {
            scene.create();
            scene.await(State.Running);
            Awaiting.until("its binding", () -> scene.objects().contains("RoleBinding/rlvr-sum"), scene::objects);
        }
        scene.client()
                .configMaps()
                .inNamespace(scene.namespace())
                .withName("rlvr-sum")
                .delete();
        refuses = true;
        try (RunningOperator operator = operator()) {
            awaitRefusals();
            assertThat(operator.writes().sent()).isEmpty();
            refuses = false;
            Awaiting.until("its manifest", () -> scene.objects().contains("ConfigMap/rlvr-sum"), scene::objects);
            assertThat(scene.job().getStatus().attempt()).isOne();
        }
    }

    @Test
    void itCanBeStoppedMeanwhile() {
        try (RunningOperator _ = operator()) {
            awaitRefusals();
        }
        int seen = refused.get();
        refuses = false;
        scene.create();
        try (RunningOperator _ = operator()) {
            scene.await(State.Running);
        }
        assertThat(refused).hasValue(seen);
    }
}
