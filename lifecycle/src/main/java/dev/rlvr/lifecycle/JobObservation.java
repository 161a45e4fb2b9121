package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.util.Optional;

/**
 * Another job that exists, and that a source of this one may name.
 *
 * @param name in the same namespace
 * @param state how far it is
 * @param checkpoint step of its newest complete checkpoint
 */
public record JobObservation(String name, State state, Optional<Integer> checkpoint) {
    /** What a job's status says; it need not have one yet. */
    public static JobObservation of(String name, Optional<RLVRJobStatus> status) {
        return new JobObservation(
                name,
                status.map(RLVRJobStatus::state).orElse(State.Queued),
                status.map(RLVRJobStatus::checkpoint).map(Checkpoint::step));
    }
}
