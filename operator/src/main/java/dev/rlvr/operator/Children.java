package dev.rlvr.operator;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What exists of a job in the cluster, by its labels, as the caches have it: to be read, not written to. */
record Children(List<HasMetadata> all) {
    /** The kinds that belong to a job; each has a cache. */
    static final List<Class<? extends HasMetadata>> KINDS = List.of(
            Job.class,
            Pod.class,
            StatefulSet.class,
            PersistentVolumeClaim.class,
            ConfigMap.class,
            Service.class,
            ServiceAccount.class,
            Role.class,
            RoleBinding.class);

    /** Of a job that nobody has looked at yet, as far as anybody knows. */
    static final Children NONE = new Children(List.of());

    private static final List<Class<? extends HasMetadata>> RUNNING = List.of(Job.class, Pod.class, StatefulSet.class);

    Children {
        all = List.copyOf(all);
    }

    /** Reads each kind. */
    static Children read(Function<Class<? extends HasMetadata>, Stream<? extends HasMetadata>> caches) {
        return new Children(KINDS.stream().<HasMetadata>flatMap(caches).toList());
    }

    /** The same with what runs as it was read anew: Jobs, sets of servers, and the pods of both. */
    Children withRunning(List<HasMetadata> running) {
        return new Children(Stream.concat(
                        all.stream().filter(child -> RUNNING.stream().noneMatch(kind -> kind.isInstance(child))),
                        running.stream())
                .toList());
    }

    <T extends HasMetadata> Stream<T> of(Class<T> kind) {
        return all.stream().filter(kind::isInstance).map(kind::cast);
    }

    /** The Job of an attempt. */
    Optional<Job> job(Ownership owner, int attempt) {
        return of(Job.class).filter(job -> owner.attempt(job) == attempt).findFirst();
    }

    /** The pods of an attempt. */
    List<Pod> pods(Ownership owner, int attempt) {
        return trainers().filter(pod -> owner.attempt(pod) == attempt).toList();
    }

    private Stream<Pod> trainers() {
        return of(Pod.class).filter(pod -> !ServerPods.owns(pod));
    }

    /** The rollout servers of the job itself, not of a deleted one of its name. */
    Optional<StatefulSet> servers(Ownership owner) {
        return of(StatefulSet.class).filter(owner::mayOwn).findFirst();
    }

    /** The pods of rollout servers. */
    List<Pod> serverPods(Ownership owner) {
        String uid = owner.job().getMetadata().getUid();
        return of(Pod.class)
                .filter(ServerPods::owns)
                .filter(pod -> uid.equals(pod.getMetadata().getLabels().get(Ownership.UID)))
                .toList();
    }

    /** The attempts that have a Job or a pod, by ascending number. */
    SortedSet<Integer> attempts(Ownership owner) {
        return Stream.<HasMetadata>concat(of(Job.class), trainers())
                .map(owner::attempt)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Whether an object of this kind and name exists, is the job's and is not on its way out. */
    boolean has(Ownership owner, HasMetadata wanted) {
        return same(owner, wanted).findAny().isPresent();
    }

    boolean hasManifest(Ownership owner, ConfigMap wanted) {
        return same(owner, wanted).anyMatch(child -> Fingerprint.isOf(wanted.getData(), child.getData()));
    }

    private <T extends HasMetadata> Stream<T> same(Ownership owner, T wanted) {
        @SuppressWarnings("unchecked")
        Class<T> kind = (Class<T>) wanted.getClass();
        return of(kind).filter(child -> child.getMetadata()
                        .getName()
                        .equals(wanted.getMetadata().getName()))
                .filter(owner::mayOwn)
                .filter(child -> !going(child));
    }

    static boolean going(HasMetadata object) {
        return object.getMetadata().getDeletionTimestamp() != null;
    }
}
