package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.AttemptObservation.Admission;

/**
 * Where a job is, in a person's words; all conditions follow from it.
 *
 * @param state the next state
 * @param reason CamelCase reason of that state
 * @param message what is going on and what a person has to do, if anything
 * @param quota whether a queue lets the current attempt run
 * @param pods whether all pods of the current attempt run
 */
record Situation(State state, String reason, String message, Fact quota, Fact pods) {
    /** Reason while an attempt of a job that is to be suspended still stops. */
    static final String SUSPENDING = "Suspending";

    /** Reason while a job waits for quota again after the queue took it back. */
    static final String EVICTED = "Evicted";

    /** Reason while a job waits for what another has to write. */
    static final String WAITING_FOR_SOURCE = "WaitingForSource";

    /** Whether something is the case, and why. */
    record Fact(boolean holds, String reason, String message) {}

    /** How far an attempt is that has not ended. */
    static Situation of(AttemptObservation attempt, Fact pods, boolean running) {
        if (attempt.admission() instanceof Admission.WaitingForQuota(String message)) {
            return new Situation(
                    State.Queued,
                    "WaitingForQuota",
                    message,
                    new Fact(false, "WaitingForQuota", message),
                    new Fact(false, "WaitingForQuota", "pods are created once there is quota"));
        }
        Fact admitted = new Fact(true, "Admitted", "attempt %d may run".formatted(attempt.number()));
        if (!running) {
            return new Situation(State.Starting, pods.reason(), pods.message(), admitted, pods);
        }
        String trains = "attempt %d trains; status.progress says how far it is".formatted(attempt.number());
        return new Situation(State.Running, "Running", trains, admitted, new Fact(true, "AllRunning", "all pods run"));
    }

    /** A situation without an attempt that has quota or pods. */
    static Situation withoutAttempt(State state, String reason, String message) {
        Fact none = new Fact(false, "NoAttempt", "no attempt exists");
        return new Situation(state, reason, message, none, none);
    }

    /** A situation in which attempts that are over have not gone yet. */
    static Situation clearing(State state, String reason, String message, int attempt) {
        Fact stopping = new Fact(
                false,
                "Stopping",
                "attempt %d is being removed; where that hangs, its node is probably lost: remove the node or its pods"
                        .formatted(attempt));
        return new Situation(state, reason, message, stopping, stopping);
    }

    static Situation ended(State state, String reason, String message) {
        Fact ended = new Fact(false, "Ended", "the job has ended");
        return new Situation(state, reason, message, ended, ended);
    }
}
