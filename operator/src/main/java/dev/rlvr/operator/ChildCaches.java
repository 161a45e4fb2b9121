package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.ManagedInformerEventSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What the operator knows of the objects that belong to jobs: a cache of each kind, whose changes let it look at the job again. */
final class ChildCaches {
    /** Objects that a cache asks for at once when it fills: the answer is in memory as text before it is objects. */
    static final long PAGE = 200;

    private final Map<Class<? extends HasMetadata>, InformerEventSource<?, RLVRJob>> caches = new ConcurrentHashMap<>();

    List<EventSource<?, RLVRJob>> open(EventSourceContext<RLVRJob> context) {
        Children.KINDS.forEach(kind -> caches.put(kind, cache(kind, context)));
        return List.copyOf(caches.values());
    }

    /**
     * Makes something that was just written known at once. It would be known a moment later, when the next reconcile may have begun and would
     * write it again.
     *
     * @param written what the API server has answered
     */
    <T extends HasMetadata> void remember(T written) {
        @SuppressWarnings("unchecked") // by its class
        InformerEventSource<T, RLVRJob> cache = (InformerEventSource<T, RLVRJob>) caches.get(written.getClass());
        if (cache != null) {
            remember(written, cache);
        }
    }

    /** As above, in the cache of that kind. What its watch has already told would be kept twice. */
    static <T extends HasMetadata> void remember(T written, ManagedInformerEventSource<T, RLVRJob, ?> cache) {
        ResourceID id = ResourceID.fromResource(written);
        String version = written.getMetadata().getResourceVersion();
        if (cache.get(id)
                .filter(known -> version.equals(known.getMetadata().getResourceVersion()))
                .isEmpty()) {
            cache.handleRecentResourceCreate(id, written);
        }
    }

    private static <T extends HasMetadata> InformerEventSource<T, RLVRJob> cache(
            Class<T> kind, EventSourceContext<RLVRJob> context) {
        InformerEventSourceConfiguration.Builder<T> cache = InformerEventSourceConfiguration.from(kind, RLVRJob.class)
                .withName(kind.getSimpleName())
                .withLabelSelector(Ownership.MANAGED_BY + "=" + Ownership.MANAGER + "," + Ownership.JOB)
                .withSecondaryToPrimaryMapper(ChildCaches::owner)
                .withNamespacesInheritedFromController()
                .withInformerListLimit(PAGE);
        if (SharedObjects.KINDS.contains(kind)) {
            // found by its name, without an index that knows the objects of each job
            cache.<RLVRJob>withPrimaryToSecondaryMapper(job -> Set.of(new ResourceID(
                    new Ownership(job).sharedName(), job.getMetadata().getNamespace())));
            // several namespaces have an informer each, but would share the store
            if (context.getControllerConfiguration().getEffectiveNamespaces().size() == 1) {
                cache.withItemStore(new ReducedStore<>(kind));
            }
        }
        return new InformerEventSource<>(cache.build(), context);
    }

    private static Set<ResourceID> owner(HasMetadata child) {
        return Set.of(new ResourceID(
                child.getMetadata().getLabels().get(Ownership.JOB),
                child.getMetadata().getNamespace()));
    }
}
