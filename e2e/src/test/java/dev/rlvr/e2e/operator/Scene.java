package dev.rlvr.e2e.operator;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A namespace of its own with a played cluster, and what tests say about it. */
final class Scene implements AutoCloseable {
    static final String JOB = "sum";

    private final ApiServer api;
    private final KubernetesClient client;
    private final String namespace;
    private final PlayedCluster cluster;

    private Scene(ApiServer api, KubernetesClient client, String namespace, PlayedCluster cluster) {
        this.api = api;
        this.client = client;
        this.namespace = namespace;
        this.cluster = cluster;
    }

    static Scene open(ApiServer api, IntFunction<Ending> script) {
        api.applyCrd();
        KubernetesClient client = api.admin();
        String namespace = api.createNamespace("scene");
        OperatorRights.grant(client, namespace);
        return new Scene(api, client, namespace, new PlayedCluster(client, namespace, script));
    }

    ApiServer api() {
        return api;
    }

    KubernetesClient client() {
        return client;
    }

    String namespace() {
        return namespace;
    }

    PlayedCluster cluster() {
        return cluster;
    }

    /** Creates the job with these lines added to its spec. */
    void create(String... specLines) {
        create(List.of(), specLines);
    }

    void create(List<String> labels, String... specLines) {
        String yaml = """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata:
                  name: %s
                  namespace: %s
                  labels: {%s}
                spec:
                  model: {source: bundled://quickstart/model}
                  data: {source: bundled://quickstart/train.jsonl}
                  reward: {verifier: Numeric}
                %s
                """.formatted(
                        JOB,
                        namespace,
                        String.join(", ", labels),
                        List.of(specLines).stream().map(line -> "  " + line).collect(Collectors.joining("\n")));
        yaml = yaml.contains("trainer:") ? yaml : yaml + "  trainer: {gpusPerReplica: 0}\n";
        client.resource(Serialization.unmarshal(yaml, GenericKubernetesResource.class))
                .create();
    }

    RLVRJob job() {
        return Objects.requireNonNull(find().orElse(null), "the job is gone");
    }

    Optional<RLVRJob> find() {
        return Optional.ofNullable(client.resources(RLVRJob.class)
                .inNamespace(namespace)
                .withName(JOB)
                .get());
    }

    /** Patches the spec as {@code kubectl patch --type=merge} does. */
    void patchSpec(String json) {
        client.resources(RLVRJob.class)
                .inNamespace(namespace)
                .withName(JOB)
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":" + json + "}");
    }

    RLVRJob await(State state) {
        return await(
                state.name(), job -> job.getStatus() != null && job.getStatus().state() == state);
    }

    RLVRJob await(String what, Predicate<RLVRJob> holds) {
        Awaiting.until(what, () -> find().filter(holds).isPresent(), () -> find().map(RLVRJob::getStatus));
        return job();
    }

    static Condition condition(RLVRJob job, String type) {
        return job.getStatus().conditions().stream()
                .filter(condition -> condition.getType().equals(type))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no condition " + type));
    }

    void delete() {
        client.resources(RLVRJob.class).inNamespace(namespace).withName(JOB).delete();
    }

    /** What is in the namespace, as {@code Kind/name}. */
    Set<String> objects() {
        return cluster.everything().stream().map(Scene::kindAndName).collect(Collectors.toSet());
    }

    void awaitObjects(String... expected) {
        Awaiting.until(
                "objects " + String.join(" ", expected), () -> objects().equals(Set.of(expected)), this::objects);
    }

    private static String kindAndName(HasMetadata object) {
        return object.getKind() + "/" + object.getMetadata().getName();
    }

    @Override
    public void close() {
        cluster.close();
        client.close();
    }
}
