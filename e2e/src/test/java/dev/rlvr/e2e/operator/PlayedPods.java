package dev.rlvr.e2e.operator;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.JobConditionBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What the Job controller and the kubelet write about the pods of one Job.
 *
 * @param clock what times in statuses are taken from
 */
public record PlayedPods(KubernetesClient client, InstantSource clock) {
    private static final String INDEX = "batch.kubernetes.io/job-completion-index";

    /** Whether a Job has ended, either way. */
    public static boolean ended(Job job) {
        return Optional.ofNullable(job.getStatus())
                .map(JobStatus::getConditions)
                .filter(conditions -> conditions.stream()
                        .map(JobCondition::getType)
                        .anyMatch(type -> type.equals("Complete") || type.equals("Failed")))
                .isPresent();
    }

    List<Pod> of(Job job) {
        return client
                .pods()
                .inNamespace(job.getMetadata().getNamespace())
                .withLabel(
                        "batch.kubernetes.io/controller-uid", job.getMetadata().getUid())
                .list()
                .getItems()
                .stream()
                .sorted(Comparator.comparing(
                        (Pod pod) -> pod.getMetadata().getAnnotations().get(INDEX)))
                .toList();
    }

    /** The Job controller notes when it began with a Job that is not suspended. */
    public void started(Job job) {
        client.resource(job).editStatus(stored -> {
            stored.setStatus(new JobStatusBuilder(stored.getStatus())
                    .withStartTime(now())
                    .build());
            return stored;
        });
    }

    /** The Job controller creates the pod of that index, and the scheduler finds it a node. */
    public void create(Job job, int index) {
        Pod pod = new PodBuilder()
                .withMetadata(job.getSpec().getTemplate().getMetadata())
                .withSpec(job.getSpec().getTemplate().getSpec())
                .editMetadata()
                .withNamespace(job.getMetadata().getNamespace())
                .withName("%s-%d-played".formatted(job.getMetadata().getName(), index))
                .addToLabels(
                        "batch.kubernetes.io/controller-uid", job.getMetadata().getUid())
                .addToLabels("batch.kubernetes.io/job-name", job.getMetadata().getName())
                .addToAnnotations(INDEX, Integer.toString(index))
                .withOwnerReferences(new OwnerReferenceBuilder()
                        .withApiVersion(job.getApiVersion())
                        .withKind(job.getKind())
                        .withName(job.getMetadata().getName())
                        .withUid(job.getMetadata().getUid())
                        .withController(true)
                        .withBlockOwnerDeletion(true)
                        .build())
                .endMetadata()
                .editSpec()
                .withHostname(job.getMetadata().getName() + "-" + index)
                .withNodeName("played-node")
                .endSpec()
                .build();
        client.resource(pod).create();
    }

    /** One step of life: waiting pods run, running pods end as the script has it. */
    public void goOn(Job job, List<Pod> pods, Ending ending) {
        boolean waits =
                pods.stream().anyMatch(pod -> !"Running".equals(pod.getStatus().getPhase()));
        switch (ending) {
            case Ending.Unschedulable(String message) -> pods.forEach(pod -> write(pod, unschedulable(message)));
            case Ending.Waits(String reason, String message) ->
                pods.forEach(pod -> write(
                        pod,
                        status(
                                "Pending",
                                new ContainerStateBuilder()
                                        .withNewWaiting(message, reason)
                                        .build())));
            case Ending.RunsOn() ->
                pods.stream()
                        .filter(pod -> !"Running".equals(pod.getStatus().getPhase()))
                        .forEach(this::run);
            case Ending.Succeeds() -> {
                if (waits) {
                    pods.forEach(this::run);
                } else {
                    pods.forEach(pod -> write(pod, status("Succeeded", exited(0, ""))));
                    complete(job);
                }
            }
            case Ending.Exits(int code, String message) -> {
                if (waits) {
                    pods.forEach(this::run);
                } else {
                    write(pods.getFirst(), status("Failed", exited(code, message)));
                    failed(
                            job,
                            "PodFailurePolicy",
                            "Container trainer for pod %s/%s failed with exit code %d matching FailJob rule at index 1"
                                    .formatted(
                                            job.getMetadata().getNamespace(),
                                            pods.getFirst().getMetadata().getName(),
                                            code));
                }
            }
            case Ending.FetchExits(int code, String message) -> {
                write(pods.getFirst(), fetchFailed(code, message));
                failed(
                        job,
                        "PodFailurePolicy",
                        "Container fetch for pod %s/%s failed with exit code %d matching FailJob rule at index 2"
                                .formatted(
                                        job.getMetadata().getNamespace(),
                                        pods.getFirst().getMetadata().getName(),
                                        code));
            }
            case Ending.Evicted() -> {
                if (waits) {
                    pods.forEach(this::run);
                } else {
                    write(pods.getFirst(), evicted());
                    failed(
                            job,
                            "PodFailurePolicy",
                            "Pod %s/%s has condition DisruptionTarget matching FailJob rule at index 0"
                                    .formatted(
                                            job.getMetadata().getNamespace(),
                                            pods.getFirst().getMetadata().getName()));
                }
            }
        }
    }

    private void run(Pod pod) {
        write(
                pod,
                status(
                        "Running",
                        new ContainerStateBuilder().withNewRunning(now()).build()));
    }

    private void write(Pod pod, PodStatus status) {
        if (pod.getStatus().getPhase().equals(status.getPhase())
                && pod.getStatus().getContainerStatuses().size()
                        == status.getContainerStatuses().size()
                && !pod.getStatus().getConditions().isEmpty()) {
            return;
        }
        client.resource(new PodBuilder(pod).withStatus(status).build()).updateStatus();
    }

    private static PodStatus status(String phase, ContainerState state) {
        return new PodStatusBuilder()
                .withPhase(phase)
                .withConditions(new PodConditionBuilder()
                        .withType("PodScheduled")
                        .withStatus("True")
                        .build())
                .withContainerStatuses(container(state))
                .build();
    }

    private PodStatus fetchFailed(int code, String message) {
        ContainerState notStarted = new ContainerStateBuilder()
                .withNewWaiting(null, "PodInitializing")
                .build();
        return new PodStatusBuilder(status("Failed", notStarted))
                .withInitContainerStatuses(container("fetch", exited(code, message)))
                .build();
    }

    private static ContainerStatus container(ContainerState state) {
        return container("trainer", state);
    }

    private static ContainerStatus container(String name, ContainerState state) {
        return new ContainerStatusBuilder()
                .withName(name)
                .withImage("rlvr-trainer:latest")
                .withImageID("")
                .withReady(false)
                .withRestartCount(0)
                .withState(state)
                .build();
    }

    private static PodStatus unschedulable(String message) {
        return new PodStatusBuilder()
                .withPhase("Pending")
                .withConditions(new PodConditionBuilder()
                        .withType("PodScheduled")
                        .withStatus("False")
                        .withReason("Unschedulable")
                        .withMessage(message)
                        .build())
                .build();
    }

    private PodStatus evicted() {
        return new PodStatusBuilder(status("Failed", exited(75, "stopped by SIGTERM")))
                .addNewCondition()
                .withType("DisruptionTarget")
                .withStatus("True")
                .withReason("EvictionByEvictionAPI")
                .withMessage("Eviction API: evicting")
                .endCondition()
                .build();
    }

    private ContainerState exited(int code, String message) {
        return new ContainerStateBuilder()
                .withNewTerminated()
                .withExitCode(code)
                .withReason(code == 0 ? "Completed" : "Error")
                .withMessage(message)
                .withStartedAt(now())
                .withFinishedAt(now())
                .endTerminated()
                .build();
    }

    private void complete(Job job) {
        client.resource(job).editStatus(stored -> {
            int n = stored.getSpec().getCompletions();
            stored.setStatus(new JobStatusBuilder()
                    // the API server lets nobody change it
                    .withStartTime(stored.getStatus().getStartTime())
                    .withCompletionTime(now())
                    .withSucceeded(n)
                    .withCompletedIndexes(n == 1 ? "0" : "0-" + (n - 1))
                    .withConditions(
                            condition("SuccessCriteriaMet", "CompletionsReached", "all pods succeeded"),
                            condition("Complete", "CompletionsReached", "all pods succeeded"))
                    .build());
            return stored;
        });
    }

    private void failed(Job job, String reason, String message) {
        client.resource(job).editStatus(stored -> {
            stored.setStatus(new JobStatusBuilder()
                    // the API server lets nobody change it
                    .withStartTime(stored.getStatus().getStartTime())
                    .withFailed(1)
                    .withConditions(condition("FailureTarget", reason, message), condition("Failed", reason, message))
                    .build());
            return stored;
        });
    }

    private JobCondition condition(String type, String reason, String message) {
        return new JobConditionBuilder()
                .withType(type)
                .withStatus("True")
                .withReason(reason)
                .withMessage(message)
                .withLastTransitionTime(now())
                .withLastProbeTime(now())
                .build();
    }

    private String now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
