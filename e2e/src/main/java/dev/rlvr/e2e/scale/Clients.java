package dev.rlvr.e2e.scale;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * So many people who each do one thing after the other.
 *
 * @param count how many at once
 * @param rate things a second of all of them together; 0: as fast as they can
 */
record Clients(int count, double rate) {
    /** Does something for each name, in order, shared among the clients; returns when all is done. */
    void each(List<String> names, Consumer<String> action) throws InterruptedException {
        AtomicInteger next = new AtomicInteger();
        long start = System.nanoTime();
        try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
            List<? extends Future<?>> running = IntStream.range(0, count)
                    .mapToObj(_ -> threads.submit(() -> {
                        for (int i = next.getAndIncrement(); i < names.size(); i = next.getAndIncrement()) {
                            awaitTurn(start, i);
                            action.accept(names.get(i));
                        }
                    }))
                    .toList();
            for (Future<?> client : running) {
                client.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a client failed", e.getCause());
        }
    }

    private void awaitTurn(long start, int turn) {
        if (rate > 0) {
            long due = start + (long) (turn / rate * 1e9);
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
        }
    }
}
