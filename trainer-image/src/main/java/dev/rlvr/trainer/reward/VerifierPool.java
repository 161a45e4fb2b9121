package dev.rlvr.trainer.reward;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.function.BiFunction;

/**
 * Verifies many responses on its own threads, each under a hard time limit that starts when its verification does. Uses
 * platform threads: verifying is work for a core, not waiting.
 */
public final class VerifierPool implements AutoCloseable {
    /** Regular expressions recurse over their input. */
    private static final long STACK_BYTES = 16L << 20;

    private final Verifier verifier;
    private final Duration timeout;
    private final ExecutorService threads;

    /** A pool of daemon threads for {@code spec.reward.timeout}. */
    public VerifierPool(Verifier verifier, Duration timeout, int threads) {
        this.verifier = verifier;
        this.timeout = timeout;
        ThreadFactory factory = Thread.ofPlatform()
                .name("verifier-", 0)
                .daemon()
                .stackSize(STACK_BYTES)
                .factory();
        this.threads = Executors.newFixedThreadPool(threads, factory);
    }

    /** A response to be verified and the reference answer to its problem. */
    public record Attempt(String response, String answer) {}

    /**
     * The verdicts in the order of the attempts.
     *
     * @throws InterruptedException if the caller is interrupted; the verifications not begun are then dropped
     */
    public List<Verdict> verify(List<Attempt> attempts) throws InterruptedException {
        try (Verification verification = verification()) {
            for (int i = 0; i < attempts.size(); i++) {
                verification.begin(i, attempts.get(i));
            }
            return verification.verdicts();
        }
    }

    /**
     * Verifications that are begun while answers are still being sampled. Closing drops those that are not done; not for use by several
     * threads.
     */
    public final class Verification implements AutoCloseable {
        private final SortedMap<Integer, Future<Verdict>> running = new TreeMap<>();

        private Verification() {}

        /** Begins the attempt of that number. */
        public void begin(int number, Attempt attempt) {
            running.put(
                    number,
                    threads.submit(() ->
                            inTime(attempt, Verdict.TimedOut, (one, text) -> verifier.verify(text, one.answer()))));
        }

        /**
         * Waits for the verdicts of all attempts begun, in the order of their numbers.
         *
         * @throws InterruptedException if the caller is interrupted
         */
        public List<Verdict> verdicts() throws InterruptedException {
            return results(running.values());
        }

        @Override
        public void close() {
            running.values().forEach(result -> result.cancel(true));
        }
    }

    /** Begins with no attempts. */
    public Verification verification() {
        return new Verification();
    }

    /**
     * What each response answers, for a vote; empty where there is no answer, or none was found in time.
     *
     * @throws InterruptedException as {@link #verify}
     */
    public List<String> answers(List<Attempt> attempts) throws InterruptedException {
        return inTime(attempts, "", (attempt, text) -> verifier.answerIn(text));
    }

    private <T> List<T> inTime(List<Attempt> attempts, T late, BiFunction<Attempt, CharSequence, T> work)
            throws InterruptedException {
        List<Future<T>> running = new ArrayList<>(attempts.size());
        for (Attempt attempt : attempts) {
            running.add(threads.submit(() -> inTime(attempt, late, work)));
        }
        try {
            return results(running);
        } finally {
            running.forEach(result -> result.cancel(true));
        }
    }

    private static <T> List<T> results(Collection<Future<T>> running) throws InterruptedException {
        try {
            List<T> results = new ArrayList<>(running.size());
            for (Future<T> result : running) {
                results.add(result.get());
            }
            return List.copyOf(results);
        } catch (ExecutionException e) {
            throw new IllegalStateException("verifier failed: " + e.getCause(), e);
        }
    }

    private <T> T inTime(Attempt attempt, T late, BiFunction<Attempt, CharSequence, T> work) {
        long deadline = System.nanoTime() + timeout.toNanos();
        try {
            return work.apply(attempt, new TimedText(attempt.response(), deadline));
        } catch (TimedText.TimeOver | StackOverflowError e) {
            return late;
        }
    }

    /** Ends the threads; verifications still running end at their own deadline. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
