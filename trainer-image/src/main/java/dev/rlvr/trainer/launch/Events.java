package dev.rlvr.trainer.launch;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What happens to a launcher, from any thread, in one line for the thread that handles it. */
final class Events implements Consumer<Event> {
    private final BlockingQueue<Event> queue = new LinkedBlockingQueue<>();

    @Override
    public void accept(Event event) {
        queue.add(event);
    }

    /** Adds an event that says that a time has passed. */
    void after(Duration time, Event.Wait wait) {
        CompletableFuture.delayedExecutor(time.toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> accept(new Event.Due(wait)));
    }

    Event next() throws InterruptedException {
        return queue.take();
    }
}
