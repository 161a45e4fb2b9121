package dev.rlvr.e2e.operator;

import dev.rlvr.e2e.ApiServer;
import dev.rlvr.operator.RLVRJobReconciler;
import dev.rlvr.operator.Settings;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.javaoperatorsdk.operator.Operator;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;

/** The reconciler in this JVM, watching one namespace with the documented rights, whose writes can be counted and cut off. */
final class RunningOperator implements AutoCloseable {
    private final Operator operator;
    private final Writes writes;

    private RunningOperator(Operator operator, Writes writes) {
        this.operator = operator;
        this.writes = writes;
    }

    static RunningOperator start(ApiServer api, String namespace) {
        return start(api, namespace, new Writes(Integer.MAX_VALUE));
    }

    static RunningOperator start(ApiServer api, String namespace, Writes writes) {
        return start(api, namespace, writes, new Interceptor() {});
    }

    /** As above, and somebody else interferes with its requests. */
    static RunningOperator start(ApiServer api, String namespace, Writes writes, Interceptor interference) {
        Config config = Config.fromKubeconfig(OperatorRights.kubeconfig(api, namespace));
        // a request that fails is the reconciler's to repeat, as in production after the client's own patience
        config.setRequestRetryBackoffLimit(0);
        KubernetesClient client = new KubernetesClientBuilder()
                .withConfig(config)
                .withHttpClientBuilderConsumer(builder -> builder.addOrReplaceInterceptor("writes", writes)
                        .addOrReplaceInterceptor("interference", interference))
                .build();
        Operator operator = new Operator(overrider -> overrider
                .withKubernetesClient(client)
                .withCloseClientOnStop(true)
                .withReconciliationTerminationTimeout(Duration.ZERO));
        operator.register(
                new RLVRJobReconciler(client, Settings.DEFAULT, Clock.systemUTC()),
                configuration -> configuration.settingNamespaces(Set.of(namespace)));
        operator.start();
        return new RunningOperator(operator, writes);
    }

    Writes writes() {
        return writes;
    }

    @Override
    public void close() {
        operator.stop();
    }
}
