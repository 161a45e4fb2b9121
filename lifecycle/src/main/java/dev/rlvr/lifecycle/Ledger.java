package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.time.Instant;
import java.util.Optional;

/**
 * What the lifecycle remembers from one decision to the next: its own part of the status without nulls.
 *
 * @param state the stored state; Queued for a new job
 * @param attempt number of the last attempt that was begun; 0 before the first
 * @param begun when that attempt was begun; empty once it is over and must go, so that how it exits costs nothing more
 * @param restarts restarts so far
 * @param started when all pods first ran
 * @param completed when the job ended
 */
record Ledger(
        State state,
        int attempt,
        Optional<Instant> begun,
        Restarts restarts,
        Optional<Instant> started,
        Optional<Instant> completed) {

    static Ledger of(RLVRJob job) {
        RLVRJobStatus status = job.getStatus();
        if (status == null) {
            return new Ledger(State.Queued, 0, Optional.empty(), Restarts.NONE, Optional.empty(), Optional.empty());
        }
        return new Ledger(
                Optional.ofNullable(status.state()).orElse(State.Queued),
                Optional.ofNullable(status.attempt()).orElse(0),
                Timestamp.parse(status.attemptStartTime()),
                Optional.ofNullable(status.restarts()).orElse(Restarts.NONE),
                Timestamp.parse(status.startTime()),
                Timestamp.parse(status.completionTime()));
    }

    /** The next attempt, whose number is stored before anything of it exists. */
    Ledger begin(Instant now) {
        return new Ledger(state, attempt + 1, Optional.of(now), restarts, started, completed);
    }

    /** The current attempt is over; the next gets a new number. */
    Ledger retire() {
        return new Ledger(state, attempt, Optional.empty(), restarts, started, completed);
    }

    Ledger restarts(Restarts next) {
        return new Ledger(state, attempt, begun, next, started, completed);
    }

    /** All pods ran at that time; only the first time is kept. */
    Ledger ran(Instant at) {
        return new Ledger(state, attempt, begun, restarts, started.or(() -> Optional.of(at)), completed);
    }

    Ledger complete(Instant now) {
        return new Ledger(state, attempt, begun, restarts, started, Optional.of(now));
    }

    Ledger state(State next) {
        return new Ledger(next, attempt, begun, restarts, started, completed);
    }

    /** Whether pods of the current attempt were seen; if they are gone, somebody removed them. */
    boolean seen() {
        return begun.isPresent() && (state == State.Starting || state == State.Running);
    }

    boolean running() {
        return begun.isPresent() && state == State.Running;
    }
}
