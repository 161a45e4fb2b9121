package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Clock;

/** What Quarkus injects into the reconciler. */
@Dependent
final class OperatorBeans {
    @Produces
    @Singleton
    Settings settings(SettingsMapping mapping) {
        return new Settings(mapping.trainerImage(), mapping.imagePullPolicy(), mapping.hubEndpoint());
    }

    @Produces
    @Singleton
    KubernetesClient client(KubernetesSerialization serialization, Config config, Vertx vertx) {
        // else a job that a watch tells of is first read as maps
        serialization.registerKubernetesResource(RLVRJob.class);
        return new KubernetesClientBuilder()
                .withKubernetesSerialization(serialization)
                .withConfig(config)
                .withHttpClientFactory(new CompressedAnswers(vertx))
                .build();
    }

    void close(@Disposes KubernetesClient client) {
        client.close();
    }

    @Produces
    @Singleton
    Build build() {
        return Build.current();
    }

    @Produces
    @Singleton
    Clock clock() {
        return Clock.systemUTC();
    }
}
