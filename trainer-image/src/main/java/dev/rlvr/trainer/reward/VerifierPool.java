package dev.rlvr.trainer.reward;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;

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
        List<Future<Verdict>> running = new ArrayList<>(attempts.size());
        for (Attempt attempt : attempts) {
            running.add(threads.submit(() -> verdict(attempt)));
        }
        try {
            List<Verdict> verdicts = new ArrayList<>(attempts.size());
            for (Future<Verdict> verdict : running) {
                verdicts.add(verdict.get());
            }
            return List.copyOf(verdicts);
        } catch (ExecutionException e) {
            throw new IllegalStateException("verifier failed: " + e.getCause(), e);
        } finally {
            running.forEach(verdict -> verdict.cancel(true));
        }
    }

    private Verdict verdict(Attempt attempt) {
        long deadline = System.nanoTime() + timeout.toNanos();
        try {
            return verifier.verify(new TimedText(attempt.response(), deadline), attempt.answer());
        } catch (TimedText.TimeOver | StackOverflowError e) {
            return Verdict.TimedOut;
        }
    }

    /** Ends the threads; verifications still running end at their own deadline. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
