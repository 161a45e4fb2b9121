package dev.rlvr.e2e.chaos;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;

/** Runs faster than the machine's clock, from the same moment on, so that a back-off of minutes is one of seconds. */
final class FastClock extends Clock {
    /** How many of its seconds go by in a second. */
    static final int FACTOR = 10;

    private final InstantSource real = InstantSource.system();
    private final Instant start = real.instant();

    /** How long that takes on the machine's clock. */
    static Duration real(Duration fast) {
        return fast.dividedBy(FACTOR);
    }

    @Override
    public Instant instant() {
        return start.plus(Duration.between(start, real.instant()).multipliedBy(FACTOR));
    }

    @Override
    public ZoneId getZone() {
        return java.time.ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        throw new UnsupportedOperationException("nobody here asks for a time of day");
    }
}
