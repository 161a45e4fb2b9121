package dev.rlvr.e2e.scale;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** What makes the API server refuse the operator's requests. */
record Storms(KubernetesClient client, String namespace) {
    /** Refuses most of what an account asks for, until this is closed. */
    Storm refusing(String accountNamespace, String account) {
        // no share of the seats, and no queue to wait in: most requests get 429
        String refused = """
            apiVersion: flowcontrol.apiserver.k8s.io/v1
            kind: PriorityLevelConfiguration
            metadata: {name: storm}
            spec:
              type: Limited
              limited: {nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: {type: Reject}}
            ---
            apiVersion: flowcontrol.apiserver.k8s.io/v1
            kind: FlowSchema
            metadata: {name: storm}
            spec:
              matchingPrecedence: 2
              priorityLevelConfiguration: {name: storm}
              rules:
              - subjects:
                - {kind: ServiceAccount, serviceAccount: {namespace: %s, name: %s}}
                resourceRules:
                - {apiGroups: ['*'], resources: ['*'], verbs: ['*'], clusterScope: true, namespaces: ['*']}
            """.formatted(accountNamespace, account);
        List<HasMetadata> rules = client.load(new ByteArrayInputStream(refused.getBytes(StandardCharsets.UTF_8)))
                .items();
        rules.forEach(rule -> client.resource(rule).create());
        return () -> rules.reversed().forEach(rule -> client.resource(rule).delete());
    }

    /** Changes an annotation of each of these jobs in turn, so many a second, until this is closed: what was read is soon outdated. */
    Storm meddling(List<String> jobs, double rate) {
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger writes = new AtomicInteger();
        CompletableFuture<Void> meddler = CompletableFuture.runAsync(() -> {
            try {
                while (!over.get()) {
                    new Clients(4, rate).each(jobs, job -> annotate(job, writes.incrementAndGet()));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return () -> {
            over.set(true);
            meddler.join();
        };
    }

    private void annotate(String job, int value) {
        client.resources(RLVRJob.class)
                .inNamespace(namespace)
                .withName(job)
                .patch(
                        PatchContext.of(PatchType.JSON_MERGE),
                        Serialization.asJson(
                                Map.of("metadata", Map.of("annotations", Map.of("meddler", Integer.toString(value))))));
    }

    /** Rages until it is closed. */
    interface Storm extends AutoCloseable {
        @Override
        void close();
    }
}
