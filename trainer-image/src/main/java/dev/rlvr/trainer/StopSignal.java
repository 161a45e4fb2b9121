package dev.rlvr.trainer;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A request from outside to stop: SIGTERM, SIGINT, or standard input closing where the parent asked for that. The trainer sees it between two
 * pieces of work, writes its checkpoint and ends; the process then exits with the trainer's own code, not with the signal's.
 */
final class StopSignal {
    private final CountDownLatch finished = new CountDownLatch(1);
    private final List<Runnable> listeners = new ArrayList<>();
    private volatile boolean requested;
    private volatile int exitCode;

    /** Starts listening to signals. */
    static StopSignal install() {
        StopSignal signal = new StopSignal();
        Runtime.getRuntime().addShutdownHook(new Thread(signal::waitForTrainer, "stop-signal"));
        return signal;
    }

    /** Also stops when the stream ends. */
    void watch(InputStream input) {
        Thread.ofPlatform().daemon().name("parent-watch").start(() -> {
            try {
                input.transferTo(java.io.OutputStream.nullOutputStream());
            } catch (IOException e) {
                // a broken pipe says the same as its end
            }
            request();
        });
    }

    /** Asks the trainer to stop. */
    void request() {
        List<Runnable> told;
        synchronized (listeners) {
            requested = true;
            told = List.copyOf(listeners);
            listeners.clear();
        }
        told.forEach(Runnable::run);
    }

    /** Runs something once the trainer should stop, from any thread; at once where it already should. */
    void whenRequested(Runnable listener) {
        synchronized (listeners) {
            if (!requested) {
                listeners.add(listener);
                return;
            }
        }
        listener.run();
    }

    /** Whether the trainer should stop. */
    boolean requested() {
        return requested;
    }

    /** Ends the process without the shutdown hooks that libraries have added; libtorch's destructors run, for a tenth of a second of CPU time. */
    void exit(int code) {
        exitCode = code;
        finished.countDown();
        Runtime.getRuntime().halt(code);
    }

    private void waitForTrainer() {
        request();
        try {
            finished.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(exitCode);
    }
}
