package dev.rlvr.operator;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.AttemptObservation;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.Failure;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.JobObservation;
import dev.rlvr.lifecycle.Observation;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Turns what exists into an observation. Pure: looks at nothing but its arguments. */
final class KubernetesObserver {
    private KubernetesObserver() {}

    /**
     * Observes a job.
     *
     * @param job the job with its newest status
     * @param children what exists of it
     * @param jobs other jobs that sources of this one name, as far as they exist
     * @param settings defaults of generated pods
     * @param refusal why the API server does not take the current attempt, if it said so
     */
    static Observation observe(
            RLVRJob job, Children children, List<RLVRJob> jobs, Settings settings, Optional<String> refusal) {
        Ownership owner = new Ownership(job);
        Map<Integer, AttemptObservation> attempts = new TreeMap<>();
        for (int number : children.attempts(owner)) {
            AttemptLife life = new AttemptLife(number, children.job(owner, number), children.pods(owner, number));
            attempts.put(number, life.observe());
        }
        problem(owner, settings)
                .flatMap(message -> impossible(job.getStatus(), message))
                .ifPresent(failed -> attempts.putIfAbsent(failed.number(), failed));
        // an attempt whose servers are refused exists already
        refusal.flatMap(message -> impossible(job.getStatus(), message))
                .ifPresent(failed -> attempts.put(failed.number(), failed));
        Optional<RLVRJobStatus> status = Optional.ofNullable(job.getStatus());
        return new Observation(
                SharedObjects.areComplete(owner, children),
                List.copyOf(attempts.values()),
                children.servers(owner).map(set -> new ServersLife(set, children.serverPods(owner)).observe()),
                jobs.stream()
                        .map(other -> JobObservation.of(
                                other.getMetadata().getName(), Optional.ofNullable(other.getStatus())))
                        .toList(),
                status.map(RLVRJobStatus::progress),
                status.map(RLVRJobStatus::checkpoint));
    }

    /** An attempt that was announced and can never exist has ended before it began: its spec makes no pods. */
    private static Optional<AttemptObservation> impossible(@Nullable RLVRJobStatus status, String message) {
        if (status == null
                || status.attempt() == null
                || status.attemptStartTime() == null
                || (status.state() != null && status.state().ended())) {
            return Optional.empty();
        }
        return Optional.of(new AttemptObservation(
                status.attempt(),
                Instant.parse(status.attemptStartTime()),
                new Admission.Admitted(),
                false,
                List.of(),
                Optional.of(new Outcome.Failed(new Failure(Cause.BadInput, "InvalidPod", message)))));
    }

    /** What keeps the spec from making a pod. */
    static Optional<String> problem(Ownership owner, Settings settings) {
        JsonNode template = owner.job().getSpec().trainer().podTemplate();
        Stream<String> trainer = PodTemplatePatch.of(
                        TrainerPod.TEMPLATE,
                        TrainerPod.CONTAINER,
                        owner.job().getSpec().fetches(),
                        template)
                .map(PodTemplatePatch::problems)
                .stream()
                .flatMap(List::stream);
        Stream<String> server = owner.job().getSpec().rollout().ownServers().stream()
                .flatMap(spec -> new ServerPod(owner, spec, settings).problems().stream());
        List<String> problems = Stream.concat(trainer, server).toList();
        return problems.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", problems));
    }
}
