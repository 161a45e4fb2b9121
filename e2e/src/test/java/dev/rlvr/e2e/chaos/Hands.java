package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.e2e.chaos.Fate.Cost;
import dev.rlvr.e2e.chaos.Schedule.Planned;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** What people and queues do to jobs, past the proxy, each at its time. */
final class Hands {
    private static final List<Class<? extends HasMetadata>> SHARED =
            List.of(ConfigMap.class, Service.class, ServiceAccount.class, Role.class, RoleBinding.class);

    private final KubernetesClient client;
    private final String namespace;
    private final Map<String, Deque<Planned>> left = new HashMap<>();
    private final Set<String> created = new HashSet<>();
    private final Set<String> resumed = new HashSet<>();
    private long begin;

    Hands(KubernetesClient client, String namespace, Map<String, Life> lives) {
        this.client = client;
        this.namespace = namespace;
        lives.forEach(
                (name, life) -> left.put(name, new ArrayDeque<>(life.schedule().hands())));
    }

    void begin() {
        begin = System.nanoTime();
    }

    private boolean due(Duration at) {
        return System.nanoTime() - begin >= at.toNanos();
    }

    /** Does to a job what is due. */
    void act(Life life, List<Job> jobs, List<Pod> pods) {
        create(life);
        Deque<Planned> planned = Objects.requireNonNull(left.get(life.schedule().name()));
        while (!planned.isEmpty() && due(planned.getFirst().at())) {
            Hand hand = planned.removeFirst().hand();
            act(life, hand, newest(life, jobs), pods);
        }
    }

    private void create(Life life) {
        if (due(life.schedule().created()) && created.add(life.schedule().name())) {
            client.resource(Serialization.unmarshal(
                            life.schedule().manifest(namespace), GenericKubernetesResource.class))
                    .create();
            life.note("created");
        }
    }

    private static Optional<Job> newest(Life life, List<Job> jobs) {
        return jobs.stream()
                .filter(job ->
                        History.job(job).filter(life.schedule().name()::equals).isPresent())
                .max(Comparator.comparing(job -> attempt(job).orElse(0)));
    }

    static Optional<Integer> attempt(HasMetadata object) {
        return Optional.ofNullable(object.getMetadata().getLabels())
                .map(labels -> labels.get("rlvr.dev/attempt"))
                .map(Integer::valueOf);
    }

    private void act(Life life, Hand hand, Optional<Job> job, List<Pod> pods) {
        life.note("somebody: " + hand);
        if (hand.costs) {
            job.flatMap(Hands::attempt).ifPresent(attempt -> life.befell(attempt, Cost.Infrastructure));
        }
        switch (hand) {
            case DeletePod ->
                job.flatMap(of -> podOf(of, pods))
                        .ifPresent(pod -> client.resource(pod).delete());
            case DeleteJob -> job.ifPresent(of -> delete(life, of, DeletionPropagation.BACKGROUND));
            case DeleteJobInForeground -> job.ifPresent(of -> delete(life, of, DeletionPropagation.FOREGROUND));
            case OrphanPods -> job.ifPresent(of -> delete(life, of, DeletionPropagation.ORPHAN));
            case DeleteSharedObject -> deleteShared(life);
            case DeleteServers ->
                client.resources(StatefulSet.class)
                        .inNamespace(namespace)
                        .withName(life.schedule().name() + "-server")
                        .delete();
            case TakeQuota -> job.ifPresent(this::takeQuota);
            case Suspend -> suspend(life, true);
            case Resume -> suspend(life, false);
            case RaiseBudget -> raise(life);
            case DeleteResource, DeleteResourceInForeground -> {
                life.deleted();
                resource(life)
                        .withPropagationPolicy(
                                hand == Hand.DeleteResource
                                        ? DeletionPropagation.BACKGROUND
                                        : DeletionPropagation.FOREGROUND)
                        .delete();
            }
        }
    }

    private static Optional<Pod> podOf(Job job, List<Pod> pods) {
        return pods.stream()
                .filter(pod -> pod.getMetadata().getOwnerReferences().stream()
                        .anyMatch(
                                owner -> owner.getUid().equals(job.getMetadata().getUid())))
                .findFirst();
    }

    private void delete(Life life, Job job, DeletionPropagation propagation) {
        life.removed(job.getMetadata().getUid());
        client.resource(job).withPropagationPolicy(propagation).delete();
    }

    private void deleteShared(Life life) {
        Class<? extends HasMetadata> kind =
                SHARED.get(life.schedule().random(0, 4).nextInt(SHARED.size()));
        client.resources(kind)
                .inNamespace(namespace)
                .withName("rlvr-" + life.schedule().name())
                .delete();
    }

    private Resource<RLVRJob> resource(Life life) {
        return client.resources(RLVRJob.class)
                .inNamespace(namespace)
                .withName(life.schedule().name());
    }

    private void patch(Life life, String spec) {
        if (resource(life).get() != null) {
            resource(life).patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":" + spec + "}");
        }
    }

    private void suspend(Life life, boolean suspend) {
        patch(life, "{\"lifecycle\":{\"suspend\":%s}}".formatted(suspend));
    }

    private void raise(Life life) {
        life.raised(1);
        patch(
                life,
                "{\"lifecycle\":{\"restarts\":{\"user\":%d}}}"
                        .formatted(life.schedule().userBudget() + life.raised()));
    }

    /** In the calm nobody wants a job suspended. */
    void resume(Life life) {
        create(life);
        if (resumed.add(life.schedule().name())) {
            suspend(life, false);
        }
    }

    /** Pods that somebody orphaned are nobody's once their resource has been deleted: that is what orphaning asks for. */
    void deleteOrphans(Life life, List<Pod> pods) {
        pods.stream()
                .filter(pod ->
                        History.job(pod).filter(life.schedule().name()::equals).isPresent())
                .filter(pod -> pod.getMetadata().getOwnerReferences().isEmpty())
                .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
                .forEach(pod -> {
                    life.note("somebody deletes the orphan " + pod.getMetadata().getName());
                    client.resource(pod).delete();
                });
    }

    void admit(Job job) {
        client.resource(job).edit(stored -> {
            stored.getSpec().setSuspend(false);
            return stored;
        });
    }

    private void takeQuota(Job job) {
        if (job.getMetadata().getDeletionTimestamp() == null) {
            client.resource(job).edit(stored -> {
                stored.getSpec().setSuspend(true);
                return stored;
            });
        }
    }
}
