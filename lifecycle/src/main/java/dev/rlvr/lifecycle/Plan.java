package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What to do now. A back end first writes {@code status} where it differs from the stored one, then performs {@code actions} in order, then
 * looks again after {@code lookAgainAfter} or when something changes. The write must fail where another has changed the lifecycle's
 * part of the status since it was read; then nothing of the plan is performed.
 *
 * @param status the whole next status; progress, checkpoint and evaluation are passed through from the job unchanged
 * @param actions what to do after the status is stored
 * @param lookAgainAfter when a deadline must be looked at even if nothing changes; empty if only a change matters
 */
public record Plan(RLVRJobStatus status, List<Action> actions, Optional<Duration> lookAgainAfter) {
    public Plan {
        actions = List.copyOf(actions);
    }
}
