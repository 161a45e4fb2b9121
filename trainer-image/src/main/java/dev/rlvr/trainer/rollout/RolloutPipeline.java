package dev.rlvr.trainer.rollout;

import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The batches that the loop trains on, in turn. With staleness 0 a batch is sampled when it is asked for. With staleness 1 it was sampled on a
 * thread of its own while the policy was updated on the batch before, with the weights from before that update; only the first after a start is
 * fresh.
 */
public final class RolloutPipeline implements AutoCloseable {
    private final Rollouts rollouts;
    private final AnswerSource source;
    private final int maxStaleness;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("rollouts-ahead").daemon().factory());

    private Optional<Future<Batch>> ahead = Optional.empty();

    /**
     * A pipeline with nothing in it.
     *
     * @param maxStaleness 0, or 1 to sample one batch ahead, for which the source must sample with weights of its own
     */
    public RolloutPipeline(Rollouts rollouts, AnswerSource source, int maxStaleness) {
        this.rollouts = rollouts;
        this.source = source;
        this.maxStaleness = maxStaleness;
    }

    /**
     * A batch and the policy that sampled it.
     *
     * @param policy finished steps of the weights it was sampled with
     */
    public record Batch(Rollouts.Batch rollouts, int policy) {}

    /**
     * The batch of a step: the one that was begun for it, or a fresh one.
     *
     * @param step from 0
     * @param problemsDrawn position in the stream of problems
     * @param lengths of the answers of the steps before
     * @throws StoppedException if this or another rank is asked to stop
     */
    public Batch next(int step, long problemsDrawn, LengthHistory lengths) throws InterruptedException {
        if (ahead.isEmpty()) {
            try (AnswerSource.Session _ = source.open()) {
                return new Batch(rollouts.collect(step, problemsDrawn, lengths), step);
            }
        }
        Future<Batch> begun = ahead.get();
        ahead = Optional.empty();
        try {
            return begun.get();
        } catch (ExecutionException e) {
            throw rethrown(e.getCause());
        }
    }

    /** Begins with the batch of the next step, where batches are sampled ahead; the weights may then change. */
    public void begin(int step, long problemsDrawn, LengthHistory lengths) {
        if (maxStaleness > 0) {
            AnswerSource.Session session = source.open();
            ahead = Optional.of(thread.submit(() -> {
                try (session) {
                    return new Batch(rollouts.collect(step, problemsDrawn, lengths), step - 1);
                }
            }));
        }
    }

    /** Waits until nothing is being sampled; what was sampled stays for {@link #next}. */
    public void settle() throws InterruptedException {
        if (ahead.isPresent()) {
            try {
                ahead.get().get();
            } catch (ExecutionException e) {
                throw rethrown(e.getCause());
            }
        }
    }

    private static RuntimeException rethrown(Throwable cause) {
        return switch (cause) {
            case RuntimeException failure -> failure;
            case Error failure -> throw failure;
            default -> new IllegalStateException(cause);
        };
    }

    /** Ends what is being sampled. */
    @Override
    public void close() {
        thread.shutdownNow();
        // nobody may take the weights, the servers or the other ranks away from under it
        thread.close();
    }
}
