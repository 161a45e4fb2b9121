package dev.rlvr.operator;

import dev.rlvr.lifecycle.Failure;
import dev.rlvr.lifecycle.PodObservation;
import dev.rlvr.lifecycle.PodObservation.Phase;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Reads where a pod is in its life from what the scheduler and the kubelet wrote.
 *
 * @param container name of the one that matters
 */
record PodLife(Pod pod, String container) {
    /** Whether the scheduler found a node. */
    private static final String SCHEDULED = "PodScheduled";

    /** Whether the cluster takes the pod away. */
    static final String DISRUPTED = "DisruptionTarget";

    /** The conditions of pods that are asked for; no others are read. */
    static final Set<String> CONDITIONS = Set.of(SCHEDULED, DISRUPTED);

    private static final String INDEX = "batch.kubernetes.io/job-completion-index";

    private static final Set<String> IMAGE = Set.of(
            "ErrImagePull",
            "ImagePullBackOff",
            "InvalidImageName",
            "ErrImageNeverPull",
            "ImageInspectError",
            "RegistryUnavailable",
            "SignatureValidationFailed");
    private static final Set<String> CONFIG =
            Set.of("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CreatePodSandboxError");

    /** The observation of this pod; empty for a pod that is not of an Indexed Job. */
    Optional<PodObservation> observe() {
        return Optional.ofNullable(pod.getMetadata().getAnnotations())
                .map(annotations -> annotations.get(INDEX))
                .filter(index -> index.matches("[0-9]{1,9}"))
                .map(index -> new PodObservation(Integer.parseInt(index), phase()));
    }

    Phase phase() {
        Optional<Failure> failure = new PodFailure(pod).failure();
        if (failure.isPresent()) {
            return new Phase.Failed(failure.get());
        }
        return switch (Optional.ofNullable(pod.getStatus().getPhase()).orElse("Pending")) {
            case "Succeeded" -> new Phase.Succeeded();
            case "Running" -> runningSince().<Phase>map(Phase.Running::new).orElseGet(this::waiting);
            default -> waiting();
        };
    }

    /** When its trainer started; a pod whose trainer has exited still counts as running until the kubelet says how it ended. */
    private Optional<Instant> runningSince() {
        return container(pod, container)
                .map(ContainerStatus::getState)
                .flatMap(state -> Optional.ofNullable(state.getRunning())
                        .map(running -> running.getStartedAt())
                        .or(() -> Optional.ofNullable(state.getTerminated()).map(ended -> ended.getStartedAt())))
                .map(Instant::parse);
    }

    private Phase.Waiting waiting() {
        return obstacle()
                .or(this::fetching)
                .orElseGet(() -> new Phase.Waiting(
                        "Creating",
                        scheduled()
                                ? "its node '%s' prepares it"
                                        .formatted(pod.getSpec().getNodeName())
                                : "the scheduler has not looked at it yet"));
    }

    /** What a person may have to do something about. */
    Optional<Phase.Waiting> obstacle() {
        return unschedulable()
                .or(this::initContainer)
                .or(() -> container(pod, container).flatMap(status -> waiting(status, false)));
    }

    private Optional<Phase.Waiting> unschedulable() {
        return condition(pod, SCHEDULED)
                .filter(condition -> "False".equals(condition.getStatus()))
                .map(condition -> {
                    String message = Optional.ofNullable(condition.getMessage()).orElse("");
                    return new Phase.Waiting(
                            message.toLowerCase(java.util.Locale.ROOT).contains("persistentvolumeclaim")
                                    ? "VolumeNotBound"
                                    : "Unschedulable",
                            message.isEmpty() ? String.valueOf(condition.getReason()) : message);
                });
    }

    private Optional<Phase.Waiting> initContainer() {
        return Optional.ofNullable(pod.getStatus().getInitContainerStatuses()).orElse(List.of()).stream()
                .flatMap(status -> waiting(status, true).stream())
                .findFirst();
    }

    private Optional<Phase.Waiting> fetching() {
        return fetch(pod)
                .filter(status -> status.getState() != null && status.getState().getRunning() != null)
                .map(_ -> new Phase.Waiting(
                        "Fetching",
                        "its sources are downloaded; kubectl logs %s -n %s -c %s says how far that is"
                                .formatted(
                                        pod.getMetadata().getName(),
                                        pod.getMetadata().getNamespace(),
                                        FetchContainer.CONTAINER)));
    }

    private Optional<Phase.Waiting> waiting(ContainerStatus status, boolean init) {
        return Optional.ofNullable(status.getState())
                .map(ContainerState::getWaiting)
                .filter(waiting -> waiting.getReason() != null)
                .flatMap(waiting ->
                        reason(waiting, init).map(reason -> new Phase.Waiting(reason, words(status, waiting))));
    }

    private static Optional<String> reason(ContainerStateWaiting waiting, boolean init) {
        if (IMAGE.contains(waiting.getReason())) {
            return Optional.of("ImagePull");
        }
        if (CONFIG.contains(waiting.getReason())) {
            return Optional.of("ContainerConfig");
        }
        return waiting.getReason().equals("CrashLoopBackOff")
                ? Optional.of(init ? "InitFailure" : "CrashLoop")
                : Optional.empty();
    }

    private static String words(ContainerStatus status, ContainerStateWaiting waiting) {
        Optional<String> ended = Optional.ofNullable(status.getLastState())
                .map(ContainerState::getTerminated)
                .map(end -> "it ended with exit code %d: %s"
                        .formatted(
                                end.getExitCode(),
                                Optional.ofNullable(end.getMessage()).orElse("no message")));
        if (ended.isPresent()) {
            return ended.get();
        }
        String image = "image %s: %s".formatted(status.getImage(), waiting.getReason());
        return waiting.getMessage() == null ? image : image + ": " + waiting.getMessage();
    }

    private boolean scheduled() {
        return pod.getSpec().getNodeName() != null;
    }

    static Optional<ContainerStatus> trainer(Pod pod) {
        return container(pod, TrainerPod.CONTAINER);
    }

    /** The init container that downloads. */
    static Optional<ContainerStatus> fetch(Pod pod) {
        return Stream.ofNullable(pod.getStatus().getInitContainerStatuses())
                .flatMap(List::stream)
                .filter(status -> FetchContainer.CONTAINER.equals(status.getName()))
                .findFirst();
    }

    private static Optional<ContainerStatus> container(Pod pod, String name) {
        return Stream.ofNullable(pod.getStatus().getContainerStatuses())
                .flatMap(List::stream)
                .filter(status -> name.equals(status.getName()))
                .findFirst();
    }

    static Optional<PodCondition> condition(Pod pod, String type) {
        return Stream.ofNullable(pod.getStatus().getConditions())
                .flatMap(List::stream)
                .filter(condition -> type.equals(condition.getType()))
                .findFirst();
    }
}
