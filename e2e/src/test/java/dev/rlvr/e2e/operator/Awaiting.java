package dev.rlvr.e2e.operator;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Waits, and on failure says what was there instead. */
public final class Awaiting {
    /** Far more than anything takes: a busy machine is no failure. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private Awaiting() {}

    /** Waits until it holds. */
    public static void until(String what, BooleanSupplier holds, Supplier<?> actual) {
        try {
            Awaitility.await(what)
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(50))
                    .until(holds::getAsBoolean);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(what + " within " + PATIENCE.toSeconds() + " s, but there was " + actual.get(), e);
        }
    }
}
