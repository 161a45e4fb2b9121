package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus;
import java.util.List;
import java.util.Optional;

/**
 * What is the case right now, as a back end sees it. It may lag behind the world, but never behind the observation that the stored
 * status was decided on: a back end that starts anew reads what exists afresh.
 *
 * @param resourcesReady whether everything that attempts share exists: checkpoint volume, configuration, identity, network name
 * @param attempts attempts whose processes or Kubernetes Job still exist, stopping ones included, by ascending number
 * @param servers the rollout servers, where some exist
 * @param jobs other jobs that {@code job://} sources name, as far as they exist
 * @param progress newest figures that a trainer reported
 * @param checkpoint newest complete checkpoint that a trainer reported
 */
public record Observation(
        boolean resourcesReady,
        List<AttemptObservation> attempts,
        Optional<ServersObservation> servers,
        List<JobObservation> jobs,
        Optional<RLVRJobStatus.Progress> progress,
        Optional<RLVRJobStatus.Checkpoint> checkpoint) {
    public Observation {
        attempts = List.copyOf(attempts);
        jobs = List.copyOf(jobs);
    }

    /** The attempt of that number, where it exists. */
    public Optional<AttemptObservation> attempt(int number) {
        return attempts.stream().filter(a -> a.number() == number).findFirst();
    }
}
