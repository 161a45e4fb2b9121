package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.e2e.operator.PodGroupKind;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.Listable;
import io.fabric8.kubernetes.client.dsl.Watchable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that was ever stored in a namespace, as the API server itself tells it, past the proxy. Resource versions are revisions of one
 * etcd, so versions of all kinds have one order: what is checked against it is exact, however late the news came in.
 */
final class History implements AutoCloseable {
    private static final List<Class<? extends HasMetadata>> KINDS = List.of(
            RLVRJob.class,
            Job.class,
            Pod.class,
            StatefulSet.class,
            PersistentVolumeClaim.class,
            ConfigMap.class,
            Service.class,
            ServiceAccount.class,
            Role.class,
            RoleBinding.class);

    private final List<Version> versions = new ArrayList<>();
    private final Map<String, HasMetadata> present = new LinkedHashMap<>();
    private final List<Watch> watches = new ArrayList<>();
    private Optional<WatcherException> broken = Optional.empty();

    /**
     * One version of an object.
     *
     * @param revision of etcd
     * @param at when the news came, by {@link System#nanoTime}
     */
    record Version(long revision, Watcher.Action action, HasMetadata object, long at) {
        String uid() {
            return object.getMetadata().getUid();
        }

        @Override
        public String toString() {
            return "%s %s/%s"
                    .formatted(action, object.getKind(), object.getMetadata().getName());
        }
    }

    static History of(KubernetesClient client, String namespace) {
        History history = new History();
        for (Class<? extends HasMetadata> kind : KINDS) {
            history.follow(client.resources(kind).inNamespace(namespace));
        }
        history.follow(client.genericKubernetesResources(PodGroupKind.VOLCANO.context())
                .inNamespace(namespace));
        return history;
    }

    private <T extends HasMetadata, L extends KubernetesResourceList<T>, R extends Listable<L> & Watchable<T>>
            void follow(R resources) {
        L before = resources.list();
        ListOptions since = new ListOptionsBuilder()
                .withResourceVersion(before.getMetadata().getResourceVersion())
                .build();
        watches.add(resources.watch(since, new Watcher<T>() {
            @Override
            public void eventReceived(Action action, T object) {
                add(action, object);
            }

            @Override
            public void onClose(WatcherException cause) {
                lost(cause);
            }
        }));
    }

    private synchronized void add(Watcher.Action action, HasMetadata object) {
        if (action == Watcher.Action.BOOKMARK || action == Watcher.Action.ERROR) {
            return;
        }
        long revision = Long.parseLong(object.getMetadata().getResourceVersion());
        versions.add(new Version(revision, action, object, System.nanoTime()));
        String uid = object.getMetadata().getUid();
        if (action == Watcher.Action.DELETED) {
            present.remove(uid);
        } else {
            present.put(uid, object);
        }
    }

    private synchronized void lost(WatcherException cause) {
        broken = Optional.of(cause);
    }

    /** All versions so far, in the order in which they were stored. */
    synchronized List<Version> versions() {
        broken.ifPresent(cause -> {
            throw new IllegalStateException("the history has a gap", cause);
        });
        return versions.stream()
                .sorted(Comparator.comparingLong(Version::revision))
                .toList();
    }

    /** What is there now, as far as the news have come. */
    synchronized List<HasMetadata> present() {
        return List.copyOf(present.values());
    }

    <T extends HasMetadata> List<T> present(Class<T> kind) {
        return present().stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    /** Whether an object is there, as far as the news have come. */
    synchronized boolean has(HasMetadata object) {
        return present.containsKey(object.getMetadata().getUid());
    }

    /** The job that an object belongs to, by its name or label. */
    static Optional<String> job(HasMetadata object) {
        return object instanceof RLVRJob
                ? Optional.of(object.getMetadata().getName())
                : Optional.ofNullable(object.getMetadata().getLabels()).map(labels -> labels.get("rlvr.dev/job"));
    }

    @Override
    public void close() {
        watches.forEach(Watch::close);
    }
}
