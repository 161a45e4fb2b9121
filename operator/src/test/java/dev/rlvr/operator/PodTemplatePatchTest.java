package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.utils.Serialization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each thing that a patch may not touch is refused with its name. */
class PodTemplatePatchTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            spec: {restartPolicy: Always} | spec.restartPolicy: cannot be patched; allowed are affinity, containers,
            spec: {hostNetwork: true} | spec.hostNetwork: cannot be patched
            kind: Pod | podTemplate.kind: cannot be patched; allowed are metadata, spec
            metadata: {name: x} | metadata.name: cannot be patched; allowed are annotations, labels
            metadata: {labels: {rlvr.dev/job: x}} | metadata.labels: rlvr.dev/job is the operator's
            spec: {containers: [{name: sidecar}]} | containers[sidecar]: the pod has one container, trainer
            spec: {containers: [{name: trainer, image: x}]} | containers[].image: cannot be patched; allowed are env,
            spec: {containers: [{name: trainer, env: [{name: RLVR_STATUS, value: x}]}]} | env: RLVR_STATUS is set by the operator
            spec: {containers: [{name: trainer, volumeMounts: [{name: x, mountPath: /var/lib/rlvr/y}]}]} | volumeMounts: /var/lib/rlvr/y is the operator's
            spec: {volumes: [{name: work}]} | volumes: work is a volume of the operator's
            spec: {volumes: [{name: pvc-models}]} | volumes: pvc-models is a volume of the operator's
            spec: {tolerations: nonsense} | spec.trainer.podTemplate: is not a pod template
            spec: nonsense | podTemplate.spec: must be an object
            """)
    void whatIsTheOperatorsIsRefusedByName(String patch, String problem) {
        assertThat(patch(patch).problems()).singleElement().asString().contains(problem);
    }

    @Test
    void whereAPodGoesAndWhatItMountsBesidesIsTheUsers() {
        assertThat(patch("""
                                metadata: {labels: {team: a}, annotations: {note: b}}
                                spec:
                                  schedulerName: volcano
                                  affinity: {}
                                  containers: [{name: trainer, env: [{name: A, value: b}]}]
                                """).problems()).isEmpty();
    }

    private static PodTemplatePatch patch(String yaml) {
        return new PodTemplatePatch(
                TrainerPod.TEMPLATE,
                TrainerPod.CONTAINER,
                true,
                Serialization.unmarshal("---\n" + yaml, JsonNode.class));
    }
}
