package dev.rlvr.cli.local;

import dev.rlvr.lifecycle.AttemptObservation;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.PodObservation;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The processes of one attempt; it exists until it has been stopped and all of them are gone. */
final class LocalAttempt {
    private final int number;
    private final Instant createdAt;
    private final List<LocalPod> pods;
    private boolean stopping;

    LocalAttempt(int number, Instant createdAt, List<LocalPod> pods) {
        this.number = number;
        this.createdAt = createdAt;
        this.pods = List.copyOf(pods);
    }

    int number() {
        return number;
    }

    Instant createdAt() {
        return createdAt;
    }

    boolean running() {
        return pods.stream().anyMatch(pod -> pod.process().isAlive());
    }

    /** Whether nothing of it is left. */
    boolean gone() {
        return stopping && !running();
    }

    AttemptObservation observe() {
        List<PodObservation> seen = pods.stream().map(LocalPod::observe).toList();
        return new AttemptObservation(number, createdAt, new Admission.Admitted(), stopping, seen, outcome(seen));
    }

    private static Optional<Outcome> outcome(List<PodObservation> pods) {
        for (PodObservation pod : pods) {
            if (pod.phase() instanceof Phase.Failed(var failure)) {
                return Optional.of(new Outcome.Failed(failure));
            }
        }
        return pods.stream().allMatch(pod -> pod.phase() instanceof Phase.Succeeded)
                ? Optional.of(new Outcome.Succeeded())
                : Optional.empty();
    }

    /** Asks the trainers to write a checkpoint and exit; asking twice changes nothing. */
    void stop(Duration gracePeriod) {
        if (!stopping) {
            stopping = true;
            pods.forEach(pod -> pod.stop(gracePeriod));
        }
    }

    void kill() {
        pods.forEach(LocalPod::kill);
    }
}
