package dev.rlvr.operator;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Requests that do not depend on one another: together they take as long as the slowest. */
final class AtOnce {
    private AtOnce() {}

    /** As {@link #all}, of tasks without results. */
    static void run(List<Runnable> tasks) {
        all(tasks.stream().map(Executors::callable).toList());
    }

    /**
     * Does all of these, each on a thread of its own, and returns their results in order, once every one has ended.
     *
     * @throws RuntimeException the first one's that failed; the others were done all the same
     */
    static <T> List<T> all(List<Callable<T>> tasks) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<T>> futures = threads.invokeAll(tasks);
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
