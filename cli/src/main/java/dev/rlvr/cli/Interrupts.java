package dev.rlvr.cli;

import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.jline.utils.Signals;

/** Ctrl-C and its kin: the first asks to stop, the next ones insist. */
final class Interrupts {
    private final AtomicInteger received = new AtomicInteger();
    private volatile Runnable first = () -> {};
    private volatile Runnable next = () -> {};
    private volatile int exitCode;

    /** Takes over SIGINT, SIGTERM and SIGHUP of this process. */
    static Interrupts ofProcess() {
        Interrupts interrupts = new Interrupts();
        Signals.register("INT", () -> interrupts.receive(130));
        Signals.register("TERM", () -> interrupts.receive(143));
        Signals.register("HUP", () -> interrupts.receive(129));
        return interrupts;
    }

    /** What to do from now on; if an interrupt came already, {@code onFirst} is done at once. */
    void handle(Runnable onFirst, Runnable onNext) {
        first = onFirst;
        next = onNext;
        if (received.get() > 0) {
            onFirst.run();
        }
    }

    void receive(int code) {
        exitCode = code;
        (received.incrementAndGet() == 1 ? first : next).run();
    }

    /** The exit code that tells of the interrupt, where there was one. */
    OptionalInt exitCode() {
        return received.get() == 0 ? OptionalInt.empty() : OptionalInt.of(exitCode);
    }
}
