package dev.rlvr.e2e.cluster;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Waits as long as a busy machine may need, and on failure says what was there instead. */
final class Awaiting {
    private static final Duration PATIENCE = Duration.ofMinutes(6);

    private Awaiting() {}

    /** Waits until there is a value, and returns it. */
    static <T> T value(String what, Supplier<Optional<T>> value, Supplier<?> actual) {
        try {
            return Awaitility.await(what)
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .ignoreExceptions()
                    .until(value::get, Optional::isPresent)
                    .orElseThrow();
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "%s: not within %d s; there was %s".formatted(what, PATIENCE.toSeconds(), actual.get()), e);
        }
    }

    /** Waits until it holds. */
    static void until(String what, Supplier<Boolean> holds, Supplier<?> actual) {
        value(what, () -> holds.get() ? Optional.of(true) : Optional.empty(), actual);
    }
}
