package dev.rlvr.e2e.scale;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * Waits for what has to be before the run goes on, and gives up where nothing happens for a long time.
 *
 * @param client has all rights
 * @param log what the API server has been asked for
 */
record Waiting(KubernetesClient client, AuditLog log) {
    static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration QUIET = Duration.ofSeconds(10);
    private static final Duration SETTLED = Duration.ofSeconds(2);

    /** Until the operator answers that it is ready. */
    void reconciler(OperatorProcess operator) throws InterruptedException {
        long start = System.nanoTime();
        while (!operator.isReady()) {
            pause(start, operator);
        }
    }

    /** Until it is ready and then no reconcile has ended for a while: seconds from the start to the last that has. */
    double settled(OperatorProcess operator, long start) throws InterruptedException {
        reconciler(operator);
        double last = operator.reconciled();
        long since = System.nanoTime();
        while (seconds(since) < SETTLED.toSeconds()) {
            pause(start, operator);
            double now = operator.reconciled();
            since = now == last ? since : System.nanoTime();
            last = now;
        }
        return seconds(start) - seconds(since);
    }

    private static void pause(long start, OperatorProcess operator) throws InterruptedException {
        if (!operator.process().isAlive() || seconds(start) > PATIENCE.toSeconds()) {
            throw new IllegalStateException("the operator has ended, or does not begin to work; see operator.log");
        }
        // each answer takes some of the time that the operator needs to start
        Thread.sleep(500);
    }

    /** Returns once the operator has sent nothing for a while. */
    void quiet() throws InterruptedException {
        long last = log.size();
        long since = System.nanoTime();
        while (seconds(since) < QUIET.toSeconds()) {
            Thread.sleep(500);
            long now = log.size();
            since = now == last ? since : System.nanoTime();
            last = now;
        }
    }

    /** What has happened is in the log a second later. */
    void audit() {
        LockSupport.parkNanos(Duration.ofSeconds(3).toNanos());
    }

    /** Until the cluster has as many objects of each kind. */
    void census(Census wanted) throws InterruptedException {
        census(wanted::equals, wanted.toString());
    }

    /** Until the cluster has no more objects than these, of all kinds together. */
    void atMost(long objects) throws InterruptedException {
        census(now -> now.total() <= objects, objects + " objects");
    }

    private void census(Predicate<Census> wanted, String words) throws InterruptedException {
        Census last = Census.of(client);
        long since = System.nanoTime();
        while (!wanted.test(last)) {
            Thread.sleep(500);
            Census now = Census.of(client);
            since = now.equals(last) ? since : System.nanoTime();
            last = now;
            if (seconds(since) > PATIENCE.toSeconds()) {
                throw new IllegalStateException("left over: " + last + ", not " + words);
            }
        }
    }

    static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
