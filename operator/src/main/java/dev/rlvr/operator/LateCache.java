package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.health.Status;
import io.javaoperatorsdk.operator.processing.LifecycleAware;
import io.javaoperatorsdk.operator.processing.event.EventHandler;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A cache that fills while the operator works already, which the SDK's own sources do not let it do. Until it is full nothing may be read from it, it
 * is called unhealthy, so the operator is not ready, and where it cannot be filled that is tried again.
 */
final class LateCache<T extends HasMetadata> extends InformerEventSource<T, RLVRJob> {
    private static final Logger LOG = LoggerFactory.getLogger(LateCache.class);
    private static final long FIRST_PAUSE_MILLIS = 500;
    private static final long LONGEST_PAUSE_MILLIS = 10_000;

    private final Consumer<EventHandler> whenFull;
    private volatile boolean full;
    private volatile boolean stopped;

    /**
     * An empty one.
     *
     * @param whenFull is called once, when all is there, with whoever lets the operator look at jobs
     */
    LateCache(
            InformerEventSourceConfiguration<T> configuration,
            EventSourceContext<RLVRJob> context,
            Consumer<EventHandler> whenFull) {
        super(configuration, context);
        this.whenFull = whenFull;
    }

    /** Begins to fill it. The jobs themselves are known by then. Not synchronized: the filling holds the lock, and nobody is to wait for it. */
    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public void start() {
        Thread _ = Thread.ofPlatform().daemon().name("filling " + name()).start(this::fill);
    }

    private void fill() {
        RetryExecution pauses = new GenericRetry()
                .withoutMaxAttempts()
                .setInitialInterval(FIRST_PAUSE_MILLIS)
                .setMaxInterval(LONGEST_PAUSE_MILLIS)
                .initExecution();
        while (!stopped && !filled()) {
            LockSupport.parkNanos(
                    TimeUnit.MILLISECONDS.toNanos(pauses.nextDelay().orElse(LONGEST_PAUSE_MILLIS)));
        }
        if (!stopped) {
            full = true;
            whenFull.accept(getEventHandler());
        }
    }

    private boolean filled() {
        try {
            super.start();
            return true;
        } catch (RuntimeException e) {
            if (!stopped) {
                LOG.warn(
                        "Objects of the kind {} cannot be read: {}; jobs that have begun wait for that, it is tried again",
                        name(),
                        Preflight.cause(e));
            }
            stopInformers();
            return false;
        }
    }

    private void stopInformers() {
        LifecycleAware informers = manager();
        if (informers != null) {
            informers.stop();
        }
    }

    /** Does not wait for it to be full, and so is not synchronized. */
    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public void stop() {
        stopped = true;
        if (full) {
            super.stop();
        } else {
            stopInformers();
        }
    }

    @Override
    public Status getStatus() {
        return full ? super.getStatus() : Status.UNHEALTHY;
    }
}
