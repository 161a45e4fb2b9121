package dev.rlvr.lifecycle;

import java.time.Duration;

/** Something a back end does after the plan's status is written. Every action is idempotent: doing it twice changes nothing. */
public sealed interface Action {
    /** Creates what attempts share, where it is absent: checkpoint volume, configuration, identity, network name. */
    record EnsureResources() implements Action {}

    /** Creates the attempt of that number where it is absent; its trainer goes on from the newest complete checkpoint. */
    record StartAttempt(int number) implements Action {}

    /** Removes an attempt; its trainers get so long to write a checkpoint. */
    record StopAttempt(int number, Duration gracePeriod) implements Action {}

    /** Creates the rollout servers where they are absent; trainers find them by names that do not change. */
    record StartServers() implements Action {}

    /** Removes the rollout servers. */
    record StopServers() implements Action {}

    /** Removes all that attempts share, but never checkpoints. Planned at every look at a job whose time to live is over. */
    record RemoveResources() implements Action {}
}
