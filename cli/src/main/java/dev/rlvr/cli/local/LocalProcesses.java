package dev.rlvr.cli.local;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The attempts whose processes exist, as a cluster keeps its Jobs: what is gone is forgotten. */
final class LocalProcesses {
    private final List<LocalAttempt> attempts = new ArrayList<>();
    private final Semaphore changes = new Semaphore(0);

    synchronized void add(LocalAttempt attempt, List<LocalPod> pods) {
        attempts.add(attempt);
        for (LocalPod pod : pods) {
            var _ = pod.process().onExit().thenRun(changes::release);
        }
    }

    synchronized List<LocalAttempt> attempts() {
        attempts.removeIf(LocalAttempt::gone);
        return List.copyOf(attempts);
    }

    /** When the newest attempt was created; the end of time where none exists. */
    Instant startedAt() {
        List<LocalAttempt> all = attempts();
        return all.isEmpty() ? Instant.MAX : all.getLast().createdAt();
    }

    boolean running() {
        return attempts().stream().anyMatch(LocalAttempt::running);
    }

    void kill() {
        attempts().forEach(LocalAttempt::kill);
    }

    /** Something happened that is not a process's exit. */
    void wake() {
        changes.release();
    }

    /** Returns when a process has exited, when woken, or after the time given. */
    void await(Duration atMost) throws InterruptedException {
        if (changes.tryAcquire(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
            changes.drainPermits();
        }
    }
}
