package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.crds.RolloutSpec;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.PodObservation.Phase;
import dev.rlvr.lifecycle.Situation.Fact;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Rollout servers that a job has in pods of their own. They stay while attempts come and go, since loading a model can take long, and are there
 * only while an attempt may run: one that waits for quota, or is suspended, holds no machine.
 *
 * @param spec what is asked for; empty where the job has none of its own
 * @param seen those that exist
 */
record Servers(Optional<RolloutSpec.Servers> spec, Optional<ServersObservation> seen) {
    static Servers of(RLVRJob job, Observation observation) {
        return new Servers(job.getSpec().rollout().ownServers(), observation.servers());
    }

    /** Whether a trainer finds somebody who answers: one server is enough. */
    boolean ready() {
        return spec.isEmpty()
                || seen.filter(s -> !s.stopping() && s.usable() > 0).isPresent();
    }

    /** What keeps them from answering. */
    Fact fact() {
        Optional<Phase.Waiting> waiting = seen.flatMap(ServersObservation::waiting);
        return waiting.map(w -> new Fact(false, w.reason(), "a rollout server waits: " + w.message()))
                .orElse(new Fact(
                        false,
                        "ServersStarting",
                        "none of %d rollout servers is ready yet"
                                .formatted(
                                        spec.map(RolloutSpec.Servers::replicas).orElse(0))));
    }

    /** The plan, and what it means for the servers. */
    Plan with(Plan plan, RLVRJob job, Observation observation) {
        return new Plan(
                plan.status(),
                Stream.concat(plan.actions().stream(), action(plan.status().state(), job, observation).stream())
                        .toList(),
                plan.lookAgainAfter());
    }

    private Optional<Action> action(State next, RLVRJob job, Observation observation) {
        boolean queued = observation.attempts().stream().anyMatch(a -> !(a.admission() instanceof Admission.Admitted));
        boolean stop = spec.isEmpty()
                || job.getMetadata().getDeletionTimestamp() != null
                || job.getSpec().lifecycle().suspend()
                || next.ended()
                || queued;
        if (stop) {
            return seen.filter(s -> !s.stopping()).map(s -> new Action.StopServers());
        }
        boolean start = seen.isEmpty() && List.of(State.Starting, State.Running).contains(next);
        return start ? Optional.of(new Action.StartServers()) : Optional.empty();
    }
}
