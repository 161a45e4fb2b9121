package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.Event;
import io.javaoperatorsdk.operator.processing.event.EventHandler;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.ManagedInformerEventSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the operator knows of the objects that belong to jobs: a cache of each kind, whose changes let it look at the job again. With thousands of jobs
 * they take a while to fill, of which nobody is told until all are full; then every job is looked at.
 */
final class ChildCaches {
    /** Objects that a cache asks for at once when it fills: the answer is in memory as text before it is objects. */
    static final long PAGE = 200;

    private static final Logger LOG = LoggerFactory.getLogger(ChildCaches.class);

    private final Map<Class<? extends HasMetadata>, LateCache<?>> caches = new ConcurrentHashMap<>();
    private final AtomicInteger filling = new AtomicInteger(Children.KINDS.size());

    List<EventSource<?, RLVRJob>> open(EventSourceContext<RLVRJob> context) {
        Children.KINDS.forEach(kind -> caches.put(kind, cache(kind, context)));
        return List.copyOf(caches.values());
    }

    /** Whether they show all that there is, by and by. Until then they are not to be read. */
    boolean areFull() {
        return filling.get() == 0;
    }

    /** One more is full. What was told before the last one is has been passed over. */
    private void filled(EventSourceContext<RLVRJob> context, EventHandler handler) {
        if (filling.decrementAndGet() == 0) {
            LOG.info("All that belongs to jobs is known");
            context.getPrimaryCache().keys().map(Event::new).forEach(handler::handleEvent);
        }
    }

    /**
     * Makes something that was just written known at once. It would be known a moment later, when the next reconcile may have begun and would
     * write it again.
     *
     * @param written what the API server has answered
     */
    <T extends HasMetadata> void remember(T written) {
        @SuppressWarnings("unchecked") // by its class
        LateCache<T> cache = (LateCache<T>) caches.get(written.getClass());
        if (cache != null && areFull()) {
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

    private <T extends HasMetadata> LateCache<T> cache(Class<T> kind, EventSourceContext<RLVRJob> context) {
        InformerEventSourceConfiguration.Builder<T> cache = InformerEventSourceConfiguration.from(kind, RLVRJob.class)
                .withName(kind.getSimpleName())
                .withLabelSelector(Ownership.MANAGED_BY + "=" + Ownership.MANAGER + "," + Ownership.JOB)
                .withSecondaryToPrimaryMapper(ChildCaches::owner)
                .withNamespacesInheritedFromController()
                .withOnAddFilter(_ -> areFull())
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
        return new LateCache<>(cache.build(), context, handler -> filled(context, handler));
    }

    private static Set<ResourceID> owner(HasMetadata child) {
        return Set.of(new ResourceID(
                child.getMetadata().getLabels().get(Ownership.JOB),
                child.getMetadata().getNamespace()));
    }
}
