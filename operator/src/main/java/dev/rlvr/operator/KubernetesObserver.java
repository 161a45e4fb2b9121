package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.AttemptObservation;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.Failure;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.Observation;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Turns what exists into an observation. Pure: looks at nothing but its arguments. */
final class KubernetesObserver {
    private KubernetesObserver() {}

    /**
     * Observes a job.
     *
     * @param job the job with its newest status
     * @param children what exists of it
     * @param refusal why the API server does not take the current attempt, if it said so
     */
    static Observation observe(RLVRJob job, Children children, Optional<String> refusal) {
        Ownership owner = new Ownership(job);
        Map<Integer, AttemptObservation> attempts = new TreeMap<>();
        for (int number : children.attempts(owner)) {
            AttemptLife life = new AttemptLife(number, children.job(owner, number), children.pods(owner, number));
            attempts.put(number, life.observe());
        }
        impossible(owner, refusal).ifPresent(failed -> attempts.putIfAbsent(failed.number(), failed));
        Optional<RLVRJobStatus> status = Optional.ofNullable(job.getStatus());
        return new Observation(
                SharedObjects.of(owner).complete(owner, children),
                List.copyOf(attempts.values()),
                status.map(RLVRJobStatus::progress),
                status.map(RLVRJobStatus::checkpoint));
    }

    /** An attempt that was announced and can never exist has ended before it began: its spec makes no pods. */
    private static Optional<AttemptObservation> impossible(Ownership owner, Optional<String> refusal) {
        RLVRJobStatus status = owner.job().getStatus();
        if (status == null
                || status.attempt() == null
                || status.attemptStartTime() == null
                || (status.state() != null && status.state().ended())) {
            return Optional.empty();
        }
        return problem(owner)
                .or(() -> refusal)
                .map(message -> new AttemptObservation(
                        status.attempt(),
                        Instant.parse(status.attemptStartTime()),
                        new Admission.Admitted(),
                        false,
                        List.of(),
                        Optional.of(new Outcome.Failed(new Failure(Cause.BadInput, "InvalidPod", message)))));
    }

    /** What keeps the spec from making a pod. */
    static Optional<String> problem(Ownership owner) {
        return PodTemplatePatch.of(owner.job().getSpec().trainer())
                .map(PodTemplatePatch::problems)
                .filter(problems -> !problems.isEmpty())
                .map(problems -> String.join("; ", problems));
    }
}
