package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
    private static final List<State> STAGES = List.of(State.Queued, State.Starting, State.Running);

    public Plan {
        actions = List.copyOf(actions);
    }

    /**
     * Whether this only tells how far a job has got: nothing begins, stops or ends, and its state is none that it has left behind. What a back
     * end remembers of the world will do for that; everything else is to be decided on what it reads anew.
     *
     * @param before the stored status
     */
    public boolean goesOn(@Nullable RLVRJobStatus before) {
        Optional<RLVRJobStatus> stored = Optional.ofNullable(before);
        return STAGES.contains(status.state())
                && STAGES.indexOf(status.state())
                        >= STAGES.indexOf(stored.map(RLVRJobStatus::state).orElse(State.Queued))
                && Objects.equals(
                        status.attempt(), stored.map(RLVRJobStatus::attempt).orElse(null))
                && Objects.equals(
                        status.attemptStartTime(),
                        stored.map(RLVRJobStatus::attemptStartTime).orElse(null))
                && actions.stream().allMatch(Action.EnsureResources.class::isInstance);
    }
}
