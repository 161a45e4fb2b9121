package dev.rlvr.cli.local;

import dev.rlvr.crds.RLVRJobStatus;
import java.time.Instant;

/**
 * The content of {@code trainer-status.json}.
 *
 * @param part the trainer's part of the status; everything else in it is absent
 * @param phase what the trainer is doing, for people; empty where it did not say
 * @param writtenAt when it was written
 */
record TrainerReport(RLVRJobStatus part, String phase, Instant writtenAt) {
    static final TrainerReport NONE = new TrainerReport(
            new RLVRJobStatus(null, null, null, null, null, null, null, null, null, null, null), "", Instant.MIN);

    /** The phase where it was reported since that time; an attempt that has just begun has not said anything yet. */
    String phaseSince(Instant start) {
        return writtenAt.isBefore(start) ? "" : phase;
    }

    /** The status with the trainer's newest part, as if both had written to one resource. */
    RLVRJobStatus in(RLVRJobStatus status) {
        return new RLVRJobStatus(
                status.observedGeneration(),
                status.state(),
                status.conditions(),
                status.attempt(),
                status.restarts(),
                part.progress() != null ? part.progress() : status.progress(),
                part.checkpoint() != null ? part.checkpoint() : status.checkpoint(),
                part.evaluation() != null ? part.evaluation() : status.evaluation(),
                status.attemptStartTime(),
                status.startTime(),
                status.completionTime());
    }
}
