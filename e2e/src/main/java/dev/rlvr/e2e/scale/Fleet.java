package dev.rlvr.e2e.scale;

import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The jobs of many teams, each in its namespace, alike but for their names; a name says which team's a job is.
 *
 * @param client has all rights
 * @param teams how many namespaces there are
 * @param pods of a job
 */
record Fleet(KubernetesClient client, int teams, int pods) {
    private static final String VERSION = "rlvr.dev/v1alpha1";
    private static final String KIND = "RLVRJob";

    List<String> namespaces() {
        return IntStream.range(0, teams).mapToObj(Fleet::namespace).toList();
    }

    private static String namespace(int team) {
        return "team-%03d".formatted(team);
    }

    String namespace(String job) {
        return namespace(Math.floorMod(job.hashCode(), teams));
    }

    /** A job with a claim and rights like any other, deadlines that do not fall into the run, and nothing that outlives it. */
    GenericKubernetesResource create(String name) {
        String spec = """
            model: {source: file:///models/policy}
            data: {source: file:///data/train.jsonl}
            reward: {verifier: Numeric}
            trainer: {replicas: %d, gpusPerReplica: 1}
            checkpoint: {volume: {size: 1Gi, reclaim: Delete}}
            lifecycle: {startDeadline: 7d, stallDeadline: 7d}
            """.formatted(pods);
        return client.resource(new GenericKubernetesResourceBuilder()
                        .withApiVersion(VERSION)
                        .withKind(KIND)
                        .withNewMetadata()
                        .withNamespace(namespace(name))
                        .withName(name)
                        .endMetadata()
                        .withAdditionalProperties(Map.of("spec", Serialization.unmarshal(spec, Map.class)))
                        .build())
                .create();
    }

    GenericKubernetesResource get(String name) {
        return client.genericKubernetesResources(VERSION, KIND)
                .inNamespace(namespace(name))
                .withName(name)
                .get();
    }

    void annotate(String name, String key, String value) {
        client.genericKubernetesResources(VERSION, KIND)
                .inNamespace(namespace(name))
                .withName(name)
                .patch(PatchContext.of(PatchType.JSON_MERGE), annotation(key, value));
    }

    void delete(String name) {
        client.genericKubernetesResources(VERSION, KIND)
                .inNamespace(namespace(name))
                .withName(name)
                .withPropagationPolicy(DeletionPropagation.BACKGROUND)
                .delete();
    }

    /** Lets the pods of a job end well. */
    void end(String name) {
        client.pods()
                .inNamespace(namespace(name))
                .withLabel("rlvr.dev/job", name)
                .list()
                .getItems()
                .forEach(pod -> client.resource(pod)
                        .patch(PatchContext.of(PatchType.JSON_MERGE), annotation("played/exit-code", "0")));
    }

    private static String annotation(String key, String value) {
        return Serialization.asJson(Map.of("metadata", Map.of("annotations", Map.of(key, value))));
    }
}
