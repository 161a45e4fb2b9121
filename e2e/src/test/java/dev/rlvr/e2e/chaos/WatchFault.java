package dev.rlvr.e2e.chaos;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What befalls a watch.
 *
 * @param replays whether it begins with events that were seen before
 * @param lag how much later everything is seen
 * @param life until its end
 * @param end how it ends
 */
record WatchFault(boolean replays, Duration lag, Duration life, End end) {
    static final WatchFault NONE = new WatchFault(false, Duration.ZERO, Duration.ofHours(1), End.Dropped);

    /** How a watch ends. */
    enum End {
        /** The connection breaks. */
        Dropped,
        /** The API server says that what was asked for is too old: the next list begins anew. */
        Gone,
        /** Nothing more comes for a while, and then the connection breaks. */
        Frozen
    }

    /** How long a frozen one is kept. */
    static final Duration FROZEN = Duration.ofSeconds(2);

    static WatchFault random(RandomGenerator random) {
        return new WatchFault(
                random.nextBoolean(),
                Duration.ofMillis(random.nextInt(3) == 0 ? random.nextInt(1500) : 0),
                Duration.ofMillis(500 + random.nextInt(6000)),
                End.values()[random.nextInt(End.values().length)]);
    }
}
