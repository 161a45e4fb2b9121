package dev.rlvr.trainer.reward;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
        return inTime(attempts, Verdict.TimedOut, (attempt, text) -> verifier.verify(text, attempt.answer()));
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
            List<T> results = new ArrayList<>(attempts.size());
            for (Future<T> result : running) {
                results.add(result.get());
            }
            return List.copyOf(results);
        } catch (ExecutionException e) {
            throw new IllegalStateException("verifier failed: " + e.getCause(), e);
        } finally {
            running.forEach(result -> result.cancel(true));
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
