package dev.rlvr.operator;

import dev.rlvr.lifecycle.AttemptObservation;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.Failure;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.PodObservation;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads one attempt from its Job and pods.
 *
 * @param number from 1
 * @param job its Job; pods can outlive it
 * @param pods its pods, in any order
 */
record AttemptLife(int number, Optional<Job> job, List<Pod> pods) {
    /** The Job controller's words on the pod that ended a Job, once a rule of the failure policy matched. */
    private static final Pattern EXIT_CODE = Pattern.compile("failed with exit code (\\d{1,3}) ");

    AttemptObservation observe() {
        return new AttemptObservation(number, createdAt(), admission(), stopping(), podObservations(), outcome());
    }

    private Instant createdAt() {
        return Stream.concat(job.stream(), pods.stream())
                .map(HasMetadata::getMetadata)
                .map(metadata -> Instant.parse(metadata.getCreationTimestamp()))
                .min(Comparator.naturalOrder())
                .orElseThrow();
    }

    private Admission admission() {
        boolean suspended =
                job.filter(of -> Boolean.TRUE.equals(of.getSpec().getSuspend())).isPresent();
        if (!suspended) {
            return new Admission.Admitted();
        }
        String name = job.orElseThrow().getMetadata().getName();
        String uid = job.orElseThrow().getMetadata().getUid();
        return new Admission.WaitingForQuota(
                Optional.ofNullable(job.orElseThrow().getMetadata().getLabels())
                        .map(labels -> labels.get(AttemptJob.QUEUE))
                        .map(queue ->
                                "queue %s has no quota for it yet; kubectl describe workloads -l kueue.x-k8s.io/job-uid=%s says why"
                                        .formatted(queue, uid))
                        .orElse("Job %s is suspended from outside; set its spec.suspend to false".formatted(name)));
    }

    /** Pods whose Job is gone were orphaned; they are stopping only if each was told to. */
    private boolean stopping() {
        return job.map(Children::going).orElseGet(() -> pods.stream().allMatch(Children::going));
    }

    /** The newest pod of each index: the Job controller may have had to replace one before it ever ran. */
    private List<PodObservation> podObservations() {
        Map<Integer, PodObservation> byIndex = new TreeMap<>();
        pods.stream()
                .sorted(Comparator.comparing((Pod pod) -> pod.getMetadata().getCreationTimestamp()))
                .flatMap(pod -> new PodLife(pod, TrainerPod.CONTAINER).observe().stream())
                .forEach(observation -> byIndex.put(observation.index(), observation));
        return List.copyOf(byIndex.values());
    }

    private Optional<Outcome> outcome() {
        return condition("Complete")
                .<Outcome>map(complete -> new Outcome.Succeeded())
                .or(() -> condition("Failed").map(failed -> new Outcome.Failed(failure(failed))));
    }

    private Optional<JobCondition> condition(String type) {
        return job.map(Job::getStatus)
                .flatMap(status -> Optional.ofNullable(status.getConditions()))
                .flatMap(conditions -> conditions.stream()
                        .filter(condition -> type.equals(condition.getType()) && "True".equals(condition.getStatus()))
                        .findFirst());
    }

    private static Failure failure(JobCondition failed) {
        String words = Optional.ofNullable(failed.getMessage()).orElse("the Job failed");
        if (words.contains("DisruptionTarget")) {
            return new Failure(Cause.Infrastructure, "Disrupted", words);
        }
        Matcher code = EXIT_CODE.matcher(words);
        return code.find()
                ? Failure.ofExitCode(Integer.parseInt(code.group(1)), words)
                : new Failure(Cause.Infrastructure, "JobFailed", words);
    }
}
