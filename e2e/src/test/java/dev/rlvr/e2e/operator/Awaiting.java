package dev.rlvr.e2e.operator;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Waits, and on failure says what was there instead. */
final class Awaiting {
    private Awaiting() {}

    static void until(String what, BooleanSupplier holds, Supplier<?> actual) {
        try {
            Awaitility.await(what)
                    .atMost(Duration.ofSeconds(30))
                    .pollInterval(Duration.ofMillis(50))
                    .until(holds::getAsBoolean);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(what + " within 30 s, but there was " + actual.get(), e);
        }
    }
}
