package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The quickstart, shortened, in a namespace of its own, and what can be seen of it from outside. */
final class TrainingJob implements AutoCloseable {
    static final String NAME = "quickstart";

    /** What makes it short: steps of less than a second, a checkpoint after every second one, and room beside other pods. */
    private static final String SHORT = """
        algorithm: {promptsPerBatch: 4, groupSize: 4, miniBatchPrompts: 4, dynamicSampling: {enabled: false, maxRefills: null}}
        rollout: {maxResponseTokens: 48}
        evaluation: null
        trainer: {resources: {requests: {cpu: 100m, memory: 1Gi}}}
        checkpoint: {everySteps: 2, volume: {reclaim: Delete}}
        """;

    private final Cluster cluster;
    private final String namespace;
    private final String name;
    private final Instant applied;

    private TrainingJob(Cluster cluster, String namespace, String name, Instant applied) {
        this.cluster = cluster;
        this.namespace = namespace;
        this.name = name;
        this.applied = applied;
    }

    /** Applies {@code examples/quickstart} with these changes to its spec, a merge patch in YAML. */
    static TrainingJob apply(Cluster cluster, String changes) {
        return apply(cluster, cluster.createNamespace("e2e"), changes);
    }

    static TrainingJob apply(Cluster cluster, String namespace, String changes) {
        return apply(cluster, namespace, NAME, changes);
    }

    /** As above, beside other jobs: the namespace goes with the one that is closed first. */
    static TrainingJob apply(Cluster cluster, String namespace, String name, String changes) {
        Map<String, Object> manifest = yaml(quickstart(cluster));
        Map<String, Object> spec = merged(merged(map(manifest.get("spec")), yaml(SHORT)), yaml(changes));
        manifest.put("spec", spec);
        manifest.put("metadata", Map.of("name", name, "namespace", namespace));
        Instant applied = Instant.now();
        cluster.client()
                .resource(Serialization.unmarshal(Serialization.asYaml(manifest), GenericKubernetesResource.class))
                .create();
        return new TrainingJob(cluster, namespace, name, applied);
    }

    private static String quickstart(Cluster cluster) {
        try {
            return Files.readString(cluster.checkout().resolve("examples/quickstart/rlvrjob.yaml"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** RFC 7396. */
    private static Map<String, Object> merged(Map<String, Object> into, Map<String, Object> changes) {
        Map<String, Object> result = new LinkedHashMap<>(into);
        changes.forEach((key, value) -> {
            switch (value) {
                case null -> result.remove(key);
                case Map<?, ?> _ -> result.put(key, merged(map(result.getOrDefault(key, Map.of())), map(value)));
                default -> result.put(key, value);
            }
        });
        return result;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    private static Map<String, Object> yaml(String text) {
        return map(Serialization.unmarshal(text, LinkedHashMap.class));
    }

    String namespace() {
        return namespace;
    }

    /** When it was sent to the API server. */
    Instant applied() {
        return applied;
    }

    Optional<RLVRJob> find() {
        return Optional.ofNullable(cluster.client()
                .resources(RLVRJob.class)
                .inNamespace(namespace)
                .withName(name)
                .get());
    }

    RLVRJobStatus status() {
        return find().map(RLVRJob::getStatus).orElseThrow(() -> new AssertionError("the job has no status"));
    }

    RLVRJobSpec spec() {
        return find().map(RLVRJob::getSpec).orElseThrow(() -> new AssertionError("the job is gone"));
    }

    RLVRJobStatus await(State state) {
        return await("state " + state, status -> {
            if (status.state() != null && status.state().ended() && status.state() != state) {
                throw new AssertionError("ended as " + status);
            }
            return status.state() == state;
        });
    }

    RLVRJobStatus await(String what, Predicate<RLVRJobStatus> holds) {
        return Awaiting.value(
                what,
                () -> find().map(RLVRJob::getStatus).filter(holds),
                () -> find().map(RLVRJob::getStatus).map(Object::toString).orElse("no status") + "\n" + logs());
    }

    /** Waits for a checkpoint of that step or a later one to be in the status. */
    RLVRJobStatus.Checkpoint awaitCheckpoint(int step) {
        RLVRJobStatus status = await(
                "a checkpoint of step " + step,
                s -> s.checkpoint() != null && s.checkpoint().step() >= step);
        return Objects.requireNonNull(status.checkpoint());
    }

    /** Waits until a pod of that attempt logs that it finished a step, and returns when the first one was. */
    StepLine awaitStep(int attempt) {
        return Awaiting.value(
                "a step of attempt " + attempt,
                () -> TrainerLog.of(cluster.client(), pods(attempt)).steps().findFirst(),
                this::status);
    }

    /** Waits until the attempt that is under way logs that it finished a step after that time. */
    void awaitStepAfter(Instant time) {
        int attempt = Objects.requireNonNull(status().attempt());
        Awaiting.until(
                "a step after " + time,
                () -> TrainerLog.of(cluster.client(), pods(attempt))
                        .steps()
                        .anyMatch(step -> step.at().isAfter(time)),
                this::logs);
    }

    /** Waits for the end of a job that nothing happened to, deletes it, and waits until nothing of it is left. */
    void awaitUndisturbedEnd() {
        RLVRJobStatus end = await(State.Succeeded);
        assertThat(end.attempt()).isEqualTo(1);
        assertThat(end.restarts()).isIn(null, Restarts.NONE);
        deleteAndAwaitNothingLeft();
    }

    /** The step from which an attempt says that it goes on. */
    int wentOnFrom(int attempt) {
        return Awaiting.value(
                "attempt " + attempt + " says where it goes on",
                () -> TrainerLog.of(cluster.client(), pods(attempt)).goesOnFrom(),
                this::logs);
    }

    static Condition condition(RLVRJobStatus status, String type) {
        return Objects.requireNonNullElse(status.conditions(), List.<Condition>of()).stream()
                .filter(condition -> condition.getType().equals(type))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no condition " + type + " in " + status));
    }

    List<Pod> pods() {
        return cluster.client()
                .pods()
                .inNamespace(namespace)
                .withLabel("rlvr.dev/job", name)
                .list()
                .getItems();
    }

    /** The pods of its rollout servers. */
    List<Pod> servers() {
        return pods().stream()
                .filter(pod ->
                        "rlvr-server".equals(pod.getMetadata().getLabels().get("app.kubernetes.io/name")))
                .toList();
    }

    List<Pod> pods(int attempt) {
        return pods().stream()
                .filter(pod -> Integer.toString(attempt)
                        .equals(pod.getMetadata().getLabels().get("rlvr.dev/attempt")))
                .toList();
    }

    /** The pod with that index of the attempt that is under way. */
    Pod pod(int index) {
        int attempt = Objects.requireNonNull(status().attempt());
        return pods(attempt).stream()
                .filter(pod -> Integer.toString(index)
                        .equals(pod.getMetadata().getAnnotations().get("batch.kubernetes.io/job-completion-index")))
                .findFirst()
                .orElseThrow(() -> new AssertionError("attempt %d has no pod %d".formatted(attempt, index)));
    }

    void patchSpec(String json) {
        cluster.client()
                .resources(RLVRJob.class)
                .inNamespace(namespace)
                .withName(name)
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":" + json + "}");
    }

    void delete() {
        cluster.client()
                .resources(RLVRJob.class)
                .inNamespace(namespace)
                .withName(name)
                .delete();
    }

    /** Deletes the job and waits until nothing that was made for it is left, its volume included. */
    void deleteAndAwaitNothingLeft() {
        deleteAndAwaitLeft(Set.of());
    }

    /** Deletes the job and waits until just these are left, as {@code Kind/name}. */
    void deleteAndAwaitLeft(Set<String> expected) {
        delete();
        LeftOvers left = new LeftOvers(cluster.client(), namespace);
        Awaiting.until("left of the job: " + expected, () -> left.names().equals(expected), left::names);
    }

    private String logs() {
        return pods().stream()
                .map(pod -> pod.getMetadata().getName() + ":\n"
                        + TrainerLog.of(cluster.client(), List.of(pod)).end())
                .collect(Collectors.joining("\n"));
    }

    @Override
    public void close() {
        cluster.client().namespaces().withName(namespace).delete();
    }
}
