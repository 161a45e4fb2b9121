package dev.rlvr.lifecycle;

import dev.rlvr.crds.Durations;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A limit on how long something may take.
 *
 * @param from when the clock began
 * @param limit how long it may take
 */
record Deadline(Instant from, Duration limit) {

    /** From the first start to the end; runs on while the job is suspended, but is only looked at when it is not. */
    static Optional<Deadline> active(@Nullable String limit, Ledger ledger) {
        return limit == null
                ? Optional.empty()
                : ledger.started().map(start -> new Deadline(start, Durations.parse(limit)));
    }

    /** From the moment an attempt exists and has its quota until all its pods run. */
    static Deadline start(String limit, AttemptObservation attempt, Instant quotaSince) {
        return new Deadline(later(attempt.createdAt(), quotaSince), Durations.parse(limit));
    }

    /** From the last progress, or from the moment all pods ran where none was made since. */
    static Deadline stall(String limit, Instant runningSince, Optional<Progress> progress) {
        Instant from = progress.flatMap(p -> Timestamp.parse(p.updatedAt()))
                .map(updated -> later(updated, runningSince))
                .orElse(runningSince);
        return new Deadline(from, Durations.parse(limit));
    }

    /** From the end until what is left is removed. */
    static Optional<Deadline> ttl(@Nullable String limit, Ledger ledger) {
        return limit == null
                ? Optional.empty()
                : ledger.completed().map(end -> new Deadline(end, Durations.parse(limit)));
    }

    boolean passed(Instant now) {
        return Duration.between(from, now).compareTo(limit) >= 0;
    }

    /** What is left, rounded up to whole seconds so that a back end does not look just too early. */
    Duration left(Instant now) {
        Duration left = limit.minus(Duration.between(from, now));
        return left.isPositive()
                ? Duration.ofSeconds(left.plusNanos(999_999_999).toSeconds())
                : Duration.ZERO;
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }
}
