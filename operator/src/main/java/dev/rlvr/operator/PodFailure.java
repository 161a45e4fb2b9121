package dev.rlvr.operator;

import dev.rlvr.lifecycle.Failure;
import dev.rlvr.lifecycle.Failure.Cause;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Why a pod failed. What the cluster did to it comes before what its process said about it: a trainer that is preempted exits with a code,
 * too.
 */
record PodFailure(Pod pod) {
    /** Reasons of the DisruptionTarget condition (KEP-3329). */
    private static final Map<String, String> DISRUPTIONS = Map.of(
            "PreemptionByScheduler", "Preempted",
            "EvictionByEvictionAPI", "Evicted",
            "DeletionByTaintManager", "NodeLost",
            "DeletionByPodGC", "NodeLost",
            "TerminationByKubelet", "Evicted");

    /** Reasons of a pod that a kubelet ended without any exit code to speak of. */
    private static final Map<String, String> KUBELET = Map.of(
            "Evicted", "Evicted",
            "Preempting", "Preempted",
            "NodeLost", "NodeLost",
            "NodeShutdown", "NodeShutdown",
            "Shutdown", "NodeShutdown",
            "Terminated", "NodeShutdown");

    Optional<Failure> failure() {
        boolean failed = "Failed".equals(pod.getStatus().getPhase());
        boolean going =
                Children.going(pod) && !"Succeeded".equals(pod.getStatus().getPhase());
        if (failed || going) {
            Optional<Failure> disrupted = disruption();
            if (disrupted.isPresent()) {
                return disrupted;
            }
        }
        return failed
                ? Optional.of(kubelet()
                        .or(this::exit)
                        .or(this::fetchExit)
                        .or(this::initExit)
                        .orElseGet(this::unknown))
                : Optional.empty();
    }

    private Optional<Failure> disruption() {
        return PodLife.condition(pod, PodLife.DISRUPTED)
                .filter(condition -> "True".equals(condition.getStatus()))
                .map(condition -> infrastructure(
                        DISRUPTIONS.getOrDefault(String.valueOf(condition.getReason()), "Disrupted"),
                        words(condition)));
    }

    private static String words(PodCondition condition) {
        return Optional.ofNullable(condition.getMessage())
                .filter(message -> !message.isEmpty())
                .orElse(String.valueOf(condition.getReason()));
    }

    private Optional<Failure> kubelet() {
        String reason = Optional.ofNullable(pod.getStatus().getReason()).orElse("");
        boolean rejected = reason.startsWith("OutOf") || reason.equals("UnexpectedAdmissionError");
        return Optional.ofNullable(KUBELET.get(reason))
                .or(() -> rejected ? Optional.of("Rejected") : Optional.empty())
                .map(known -> infrastructure(known, message()));
    }

    private Optional<Failure> exit() {
        return PodLife.trainer(pod).flatMap(PodFailure::ended).map(this::exit);
    }

    private Failure exit(ContainerStateTerminated ended) {
        if ("OOMKilled".equals(ended.getReason())) {
            return outOfMemory();
        }
        return exitCode(ended);
    }

    private static Failure exitCode(ContainerStateTerminated ended) {
        String said = Optional.ofNullable(ended.getMessage()).orElse("").strip();
        String lastLine = said.lines().reduce((first, last) -> last).orElse("").strip();
        return Failure.ofExitCode(
                ended.getExitCode(), lastLine.isEmpty() ? "exit code " + ended.getExitCode() : lastLine);
    }

    /** Beyond its own limit a container is the user's to size; without one it was the node that had none left. */
    private Failure outOfMemory() {
        Optional<String> limit = pod.getSpec().getContainers().stream()
                .filter(container -> TrainerPod.CONTAINER.equals(container.getName()))
                .flatMap(container -> Stream.ofNullable(container.getResources()))
                .flatMap(resources -> Stream.ofNullable(resources.getLimits()))
                .flatMap(limits -> Stream.ofNullable(limits.get("memory")))
                .map(quantity -> quantity.toString())
                .findFirst();
        return limit.map(memory -> new Failure(
                        Cause.User,
                        "OutOfMemory",
                        "the trainer used more than its memory limit %s; raise spec.trainer.resources.limits.memory or lower spec.trainer.microBatchTokens"
                                .formatted(memory)))
                .orElseGet(() -> infrastructure("OutOfMemory", "the node ran out of memory"));
    }

    private Optional<Failure> fetchExit() {
        return PodLife.fetch(pod)
                .flatMap(PodFailure::ended)
                .filter(ended -> ended.getExitCode() != 0)
                .map(ended -> "OOMKilled".equals(ended.getReason())
                        ? infrastructure("OutOfMemory", "downloading the sources took more memory than there was")
                        : exitCode(ended));
    }

    /** An init container that somebody else has added to the pod. */
    private Optional<Failure> initExit() {
        return Optional.ofNullable(pod.getStatus().getInitContainerStatuses()).orElse(List.of()).stream()
                .flatMap(status -> ended(status).stream())
                .filter(ended -> ended.getExitCode() != 0)
                .map(ended -> new Failure(
                        Cause.User, "InitFailure", "an init container exited with code " + ended.getExitCode()))
                .findFirst();
    }

    private Failure unknown() {
        return infrastructure("PodFailed", message());
    }

    private String message() {
        return Optional.ofNullable(pod.getStatus().getMessage())
                .filter(message -> !message.isEmpty())
                .or(() -> Optional.ofNullable(pod.getStatus().getReason()))
                .orElse("the pod failed, and neither its node nor its containers say why");
    }

    private static Optional<ContainerStateTerminated> ended(ContainerStatus status) {
        return Optional.ofNullable(status.getState()).map(ContainerState::getTerminated);
    }

    private static Failure infrastructure(String reason, String message) {
        return new Failure(Cause.Infrastructure, reason, message);
    }
}
