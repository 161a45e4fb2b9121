package dev.rlvr.e2e.operator;

import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ScalableResource;
import java.net.HttpURLConnection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Does to a queued Job what Kueue documents that it does, write by write: admission sets {@code suspend: false} and puts the flavor's node
 * labels into the pod template in one update; eviction sets {@code suspend: true}, takes back the start time, and then the node labels.
 */
record PlayedKueue(KubernetesClient client, String namespace) {
    private static final String QUEUE = "kueue.x-k8s.io/queue-name";

    /** Waits until a Job of that name asks to be admitted. */
    Job awaitQueued(String name) {
        Awaiting.until(
                "a suspended Job " + name,
                () -> find(name)
                        .filter(job -> job.getMetadata().getLabels().containsKey(QUEUE))
                        .filter(job -> Boolean.TRUE.equals(job.getSpec().getSuspend()))
                        .isPresent(),
                () -> find(name));
        return find(name).orElseThrow();
    }

    void admit(String name, Map<String, String> flavor) {
        update(name, job -> {
            job.getSpec().setSuspend(false);
            Map<String, String> nodes = new HashMap<>(
                    Optional.ofNullable(job.getSpec().getTemplate().getSpec().getNodeSelector())
                            .orElse(Map.of()));
            nodes.putAll(flavor);
            job.getSpec().getTemplate().getSpec().setNodeSelector(nodes);
            return job;
        });
    }

    /** The Job may be gone before the last of the writes, which Kueue does not mind. */
    void evict(String name, Map<String, String> flavor) {
        update(name, job -> {
            job.getSpec().setSuspend(true);
            return job;
        });
        try {
            again(
                    name,
                    () -> job(name).editStatus(job -> {
                        job.getStatus().setStartTime(null);
                        return job;
                    }));
            update(name, job -> {
                job.getSpec().getTemplate().getSpec().getNodeSelector().keySet().removeAll(flavor.keySet());
                return job;
            });
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
                throw e;
            }
        }
    }

    private void update(String name, UnaryOperator<Job> change) {
        again(name, () -> job(name).edit(change));
    }

    /** Somebody may write the Job meanwhile: then it is read and written again, as by any controller. */
    private static void again(String name, Runnable write) {
        Awaiting.until(
                "a write of Job " + name,
                () -> {
                    try {
                        write.run();
                        return true;
                    } catch (KubernetesClientException e) {
                        if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                            throw e;
                        }
                        return false;
                    }
                },
                () -> "conflicts");
    }

    private Optional<Job> find(String name) {
        return Optional.ofNullable(job(name).get());
    }

    private ScalableResource<Job> job(String name) {
        return client.batch().v1().jobs().inNamespace(namespace).withName(name);
    }
}
