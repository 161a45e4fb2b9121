package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.WatchEvent;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.vertx.core.Vertx;
import org.junit.jupiter.api.Test;

class OperatorBeansTest {
    @Test
    void whatAWatchTellsOfAJobIsReadAsOne() {
        KubernetesSerialization serialization = new KubernetesSerialization(new ObjectMapper(), false);
        Vertx vertx = Vertx.vertx();
        try (KubernetesClient _ = new OperatorBeans()
                .client(
                        serialization,
                        new ConfigBuilder().withAutoConfigure(false).build(),
                        vertx)) {
            WatchEvent event = serialization.unmarshal("""
                    {"type": "ADDED", "object": {"apiVersion": "rlvr.dev/v1alpha1", "kind": "RLVRJob", "metadata": {"name": "sum"}}}
                    """, WatchEvent.class);
            assertThat(event.getObject()).isInstanceOf(RLVRJob.class);
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }
}
