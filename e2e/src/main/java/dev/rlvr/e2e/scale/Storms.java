package dev.rlvr.e2e.scale;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** What makes the API server refuse the operator's requests. */
record Storms(KubernetesClient client, Fleet fleet) {
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
                    new Clients(4, rate)
                            .each(
                                    jobs,
                                    job -> fleet.annotate(job, "meddler", Integer.toString(writes.incrementAndGet())));
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

    /** Rages until it is closed. */
    interface Storm extends AutoCloseable {
        @Override
        void close();
    }
}
