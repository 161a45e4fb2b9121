package dev.rlvr.e2e.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plays what the API server lacks in a namespace: the controllers of Jobs and StatefulSets, the scheduler, the kubelet the claim protection
 * and the garbage collector, each a few lines of what it would write. Jobs go through their life by a script that says how each attempt ends.
 */
final class PlayedCluster implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PlayedCluster.class);

    private final KubernetesClient client;
    private final String namespace;
    private final IntFunction<Ending> script;
    private final List<Integer> attempts = new ArrayList<>();
    private final AtomicBoolean open = new AtomicBoolean(true);
    private final Thread thread;
    private final PlayedPods pods;
    private final PlayedServers servers;
    private final AtomicBoolean serversReady = new AtomicBoolean(true);

    PlayedCluster(KubernetesClient client, String namespace, IntFunction<Ending> script) {
        this.client = client;
        this.namespace = namespace;
        this.script = script;
        this.pods = new PlayedPods(client, InstantSource.system());
        this.servers = new PlayedServers(client);
        this.thread = Thread.ofVirtual().name("played-" + namespace).start(this::play);
    }

    /** The attempts that had pods, in the order in which these were created; a number twice is a duplicate. */
    List<Integer> attempts() {
        synchronized (attempts) {
            return List.copyOf(attempts);
        }
    }

    /** Whether rollout servers become ready once they exist. */
    void letServersBeReady(boolean ready) {
        serversReady.set(ready);
    }

    private void play() {
        while (open.get()) {
            try {
                client.batch()
                        .v1()
                        .jobs()
                        .inNamespace(namespace)
                        .list()
                        .getItems()
                        .forEach(this::job);
                client.apps()
                        .statefulSets()
                        .inNamespace(namespace)
                        .list()
                        .getItems()
                        .forEach(set -> servers.goOn(set, serversReady.get()));
                finishPods();
                releaseClaims();
                collectGarbage();
            } catch (KubernetesClientException conflict) {
                // an object has changed or gone since it was listed: the next round sees it as it is then
                LOG.debug("{}: {}", namespace, conflict.getMessage());
            }
            try {
                Thread.sleep(30);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void job(Job job) {
        if (job.getMetadata().getDeletionTimestamp() != null) {
            removeInForeground(job);
            return;
        }
        if (PlayedPods.ended(job)) {
            return;
        }
        List<Pod> own = pods.of(job);
        if (Boolean.TRUE.equals(job.getSpec().getSuspend())) {
            own.forEach(pod -> client.resource(pod).delete());
            return;
        }
        if (job.getStatus() == null || job.getStatus().getStartTime() == null) {
            pods.started(job);
            return;
        }
        if (own.size() < job.getSpec().getParallelism()) {
            pods.create(job, own.size());
            if (own.isEmpty()) {
                synchronized (attempts) {
                    attempts.add(attempt(job));
                }
            }
            return;
        }
        pods.goOn(job, own, script.apply(attempt(job)));
    }

    private static int attempt(Job job) {
        return Integer.parseInt(job.getMetadata().getLabels().get("rlvr.dev/attempt"));
    }

    private void removeInForeground(Job job) {
        List<Pod> left = pods.of(job);
        left.stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .forEach(pod -> client.resource(pod).delete());
        if (left.isEmpty() && job.getFinalizers().contains("foregroundDeletion")) {
            client.resource(job).edit(stored -> {
                stored.getMetadata().setFinalizers(List.of());
                return stored;
            });
        }
    }

    /** A kubelet that has been told to stop a pod, and did. */
    private void finishPods() {
        client.pods().inNamespace(namespace).list().getItems().stream()
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() != null)
                .forEach(pod -> client.resource(pod).withGracePeriod(0).delete());
    }

    /** What protects a claim until no pod uses it. */
    private void releaseClaims() {
        if (!client.pods().inNamespace(namespace).list().getItems().isEmpty()) {
            return;
        }
        client.persistentVolumeClaims().inNamespace(namespace).list().getItems().stream()
                .filter(claim -> claim.getMetadata().getDeletionTimestamp() != null)
                .forEach(claim -> client.resource(claim).edit(stored -> {
                    stored.getMetadata().setFinalizers(List.of());
                    return stored;
                }));
    }

    private void collectGarbage() {
        List<HasMetadata> all = everything();
        Set<String> alive = new HashSet<>();
        all.forEach(object -> alive.add(object.getMetadata().getUid()));
        all.stream()
                .filter(object -> object.getMetadata().getDeletionTimestamp() == null)
                .filter(object -> !object.getMetadata().getOwnerReferences().isEmpty())
                .filter(object -> object.getMetadata().getOwnerReferences().stream()
                        .map(OwnerReference::getUid)
                        .noneMatch(alive::contains))
                // one that somebody has taken from its owner in between stays
                .forEach(object -> client.resource(object)
                        .lockResourceVersion(object.getMetadata().getResourceVersion())
                        .delete());
    }

    /** What the operator can have made in the namespace, and the jobs themselves; not the operator's own account. */
    List<HasMetadata> everything() {
        List<HasMetadata> all = new ArrayList<>();
        // owners last: what was created in between then has an owner that was seen
        all.addAll(client.pods().inNamespace(namespace).list().getItems());
        all.addAll(client.services().inNamespace(namespace).list().getItems());
        all.addAll(client.configMaps().inNamespace(namespace).list().getItems());
        all.addAll(client.serviceAccounts().inNamespace(namespace).list().getItems());
        all.addAll(client.persistentVolumeClaims().inNamespace(namespace).list().getItems());
        all.addAll(client.rbac().roles().inNamespace(namespace).list().getItems());
        all.addAll(client.rbac().roleBindings().inNamespace(namespace).list().getItems());
        all.addAll(client.apps().statefulSets().inNamespace(namespace).list().getItems());
        all.addAll(client.batch().v1().jobs().inNamespace(namespace).list().getItems());
        all.addAll(client.resources(RLVRJob.class).inNamespace(namespace).list().getItems());
        all.removeIf(
                object -> OperatorRights.ACCOUNT.equals(object.getMetadata().getName()));
        return all;
    }

    @Override
    public void close() {
        open.set(false);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
