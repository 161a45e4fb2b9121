package dev.rlvr.lifecycle;

import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** How many restarts a job may use, and how far apart they are. */
final class Budgets {
    static final Duration FIRST_BACKOFF = Duration.ofSeconds(10);
    static final Duration LONGEST_BACKOFF = Duration.ofMinutes(5);

    private Budgets() {}

    /** A checkpoint of the current attempt gives back what was used: whatever went wrong before, the job gets ahead. An ended one does not. */
    static Ledger giveBack(Ledger ledger, Optional<Checkpoint> checkpoint) {
        Restarts r = ledger.restarts();
        boolean used = r.user() > 0 || r.infrastructure() > 0;
        return used && !ledger.state().ended() && savedByCurrentAttempt(ledger, checkpoint)
                ? ledger.restarts(new Restarts(r.total(), 0, 0, r.lastFailureTime(), r.lastFailureReason()))
                : ledger;
    }

    private static boolean savedByCurrentAttempt(Ledger ledger, Optional<Checkpoint> checkpoint) {
        Optional<Instant> saved = checkpoint.flatMap(c -> Timestamp.parse(c.savedAt()));
        return saved.isPresent()
                && ledger.begun().isPresent()
                && seconds(saved.get()).isAfter(seconds(ledger.begun().get()));
    }

    /** Status times have whole seconds, a trainer's need not; compared as they are, an older checkpoint could look newer. */
    private static Instant seconds(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS);
    }

    /** What is used after one more restart, or empty where the failure allows none. */
    static Optional<Restarts> charge(Restarts r, Failure failure, LifecycleSpec.Restarts budget, Instant now) {
        String at = Timestamp.of(now);
        String why = failure.reason();
        return switch (failure.cause()) {
            case BadInput -> Optional.empty();
            case User ->
                r.user() < budget.user()
                        ? Optional.of(new Restarts(r.total() + 1, r.user() + 1, r.infrastructure(), at, why))
                        : Optional.empty();
            case Infrastructure ->
                r.infrastructure() < budget.infrastructure()
                        ? Optional.of(new Restarts(r.total() + 1, r.user(), r.infrastructure() + 1, at, why))
                        : Optional.empty();
        };
    }

    /**
     * When the next attempt may begin; at once before the first restart and after a restart that led to a checkpoint, but not where the last
     * attempt was removed from outside: a Job controller that has not heard of that yet still makes pods of it, unseen until they are there.
     */
    static Deadline backoff(Restarts r) {
        int withoutCheckpoint = r.user() + r.infrastructure();
        Instant from = Timestamp.parse(r.lastFailureTime()).orElse(Instant.EPOCH);
        if (withoutCheckpoint < 2 && !Failures.REMOVED.equals(r.lastFailureReason())) {
            return new Deadline(from, Duration.ZERO);
        }
        // Ten doublings are far beyond the cap and far from overflow.
        Duration doubled = FIRST_BACKOFF.multipliedBy(1L << Math.clamp(withoutCheckpoint - 2, 0, 10));
        return new Deadline(from, doubled.compareTo(LONGEST_BACKOFF) < 0 ? doubled : LONGEST_BACKOFF);
    }
}
