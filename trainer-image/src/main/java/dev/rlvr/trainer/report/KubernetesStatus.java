package dev.rlvr.trainer.report;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The status of the job's resource. Written in the background by server-side apply, at most once an interval: training
 * neither waits for the API server nor fails with it.
 */
public final class KubernetesStatus implements StatusSink {
    /** Between two writes of a pod. */
    public static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final Duration LAST_WRITE = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(KubernetesStatus.class);

    private final StatusPatch patch;
    private final Duration interval;
    private final Thread writer;
    private final Object lock = new Object();
    private Optional<TrainerStatus> waiting = Optional.empty();
    private boolean closed;
    private boolean away;

    /** A sink that writes with {@code patch}, with {@code interval} between the starts of two writes. */
    public KubernetesStatus(StatusPatch patch, Duration interval) {
        this.patch = patch;
        this.interval = interval;
        this.writer = Thread.ofPlatform().name("status-writer").daemon().start(this::write);
    }

    @Override
    public void publish(TrainerStatus status) {
        synchronized (lock) {
            waiting = Optional.of(status);
            lock.notifyAll();
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
        try {
            if (!writer.join(LAST_WRITE)) {
                LOG.warn("the last status of {} was not written within {} s", patch.name(), LAST_WRITE.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write() {
        try {
            for (Optional<TrainerStatus> next = next(); next.isPresent(); next = next()) {
                if (!apply(next.get())) {
                    keepForLater(next.get());
                }
                pause();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for a status; empty once the sink is closed and nothing waits. */
    private Optional<TrainerStatus> next() throws InterruptedException {
        synchronized (lock) {
            while (waiting.isEmpty() && !closed) {
                lock.wait();
            }
            Optional<TrainerStatus> next = waiting;
            waiting = Optional.empty();
            return next;
        }
    }

    /** A status that could not be written waits for the next try, unless a newer one came or the sink is closed. */
    private void keepForLater(TrainerStatus status) {
        synchronized (lock) {
            if (waiting.isEmpty() && !closed) {
                waiting = Optional.of(status);
            }
        }
    }

    private void pause() throws InterruptedException {
        long until = System.nanoTime() + interval.toNanos();
        synchronized (lock) {
            for (long left = interval.toMillis(); left > 0 && !closed; ) {
                lock.wait(left);
                left = (until - System.nanoTime()) / 1_000_000;
            }
        }
    }

    private boolean apply(TrainerStatus status) throws InterruptedException {
        try {
            patch.apply(status);
            if (away) {
                LOG.info("the status of {} can be written again", patch.name());
            }
            away = false;
            return true;
        } catch (IOException | RuntimeException e) {
            if (!away) {
                LOG.warn("the status of {} cannot be written, training goes on: {}", patch.name(), e.toString());
            }
            away = true;
            return false;
        }
    }
}
