package dev.rlvr.e2e.scale;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.Map;

/**
 * The manifest that every job of the benchmark has, but for its name.
 *
 * @param namespace of all jobs
 * @param pods of a job
 */
record JobSheet(String namespace, int pods) {
    /** With a claim and rights like any other, deadlines that do not fall into the run, and nothing that outlives the job. */
    GenericKubernetesResource job(String name) {
        String spec = """
            model: {source: file:///models/policy}
            data: {source: file:///data/train.jsonl}
            reward: {verifier: Numeric}
            trainer: {replicas: %d, gpusPerReplica: 1}
            checkpoint: {volume: {size: 1Gi, reclaim: Delete}}
            lifecycle: {startDeadline: 7d, stallDeadline: 7d}
            """.formatted(pods);
        return new GenericKubernetesResourceBuilder()
                .withApiVersion("rlvr.dev/v1alpha1")
                .withKind("RLVRJob")
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .endMetadata()
                .withAdditionalProperties(Map.of("spec", Serialization.unmarshal(spec, Map.class)))
                .build();
    }
}
