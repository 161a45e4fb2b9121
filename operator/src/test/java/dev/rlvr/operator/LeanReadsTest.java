package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class LeanReadsTest {
    private final ObjectMapper mapper = new ObjectMapper();
    private final KubernetesSerialization client = new KubernetesSerialization(mapper, false);

    LeanReadsTest() {
        new LeanReads().customize(mapper);
    }

    @Test
    void whatTheClientReadsHasNoManagedFieldsAndEverythingElse() {
        ConfigMap read = client.unmarshal("""
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: settings
                  labels: {a: b}
                  resourceVersion: "7"
                  managedFields:
                  - {manager: kubectl, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {}}}
                data: {key: value}
                """, ConfigMap.class);

        assertThat(read.getMetadata().getManagedFields()).isEmpty();
        assertThat(read.getMetadata().getAdditionalProperties()).isEmpty();
        assertThat(read.getMetadata().getLabels()).containsEntry("a", "b");
        assertThat(read.getMetadata().getResourceVersion()).isEqualTo("7");
    }

    @Test
    void ofAManifestAFingerprintIsReadThatTellsItFromAnyOther() {
        Map<String, String> manifest = Map.of("job.yaml", "steps: 10");
        ConfigMap read = client.unmarshal(
                client.asJson(new ConfigMapBuilder().withData(manifest).build()), ConfigMap.class);

        assertThat(read.getData())
                .hasEntrySatisfying("job.yaml", text -> assertThat(text).matches("sha256:[0-9a-f]{64}"));
        assertThat(Fingerprint.isOf(manifest, read.getData())).isTrue();
        assertThat(Fingerprint.isOf(Map.of("job.yaml", "steps: 11"), read.getData()))
                .isFalse();
        assertThat(Fingerprint.isOf(Map.of("other.yaml", "steps: 10"), read.getData()))
                .isFalse();
        assertThat(Fingerprint.isOf(manifest, Map.of())).isFalse();
        assertThat(client.clone(read)).isEqualTo(read);
    }

    @Test
    void aPodKeepsWhatIsReadOfIt() {
        Pod read = client.unmarshal("""
                apiVersion: v1
                kind: Pod
                metadata: {name: sum-1-0-abcde}
                spec:
                  nodeName: node-7
                  volumes: [{name: tmp, emptyDir: {}}]
                  containers:
                  - name: trainer
                    image: rlvr-trainer
                    env: [{name: A, value: b}]
                    resources: {limits: {memory: 2Gi}}
                status:
                  phase: Running
                  podIP: 10.0.0.1
                  conditions:
                  - {type: PodScheduled, status: "True"}
                  - {type: Ready, status: "True"}
                  - {type: DisruptionTarget, status: "True", reason: EvictionByEvictionAPI}
                  containerStatuses: [{name: trainer, ready: true, image: rlvr-trainer, imageID: sha, restartCount: 0}]
                """, Pod.class);

        Container container = read.getSpec().getContainers().getFirst();
        assertThat(read.getSpec().getNodeName()).isEqualTo("node-7");
        assertThat(container.getName()).isEqualTo("trainer");
        assertThat(container.getResources().getLimits()).containsEntry("memory", new Quantity("2Gi"));
        assertThat(read.getStatus().getContainerStatuses().getFirst().getImage())
                .isEqualTo("rlvr-trainer");
        assertThat(read.getStatus().getConditions())
                .extracting(PodCondition::getType)
                .containsExactly("PodScheduled", "DisruptionTarget");
        assertThat(container.getEnv()).isEmpty();
        assertThat(container.getAdditionalProperties()).isEmpty();
        assertThat(read.getSpec().getVolumes()).isEmpty();
        assertThat(read.getSpec().getAdditionalProperties()).isEmpty();
    }

    @Test
    void equalTextsOfDifferentObjectsAreOneString() {
        ConfigMap first = settings("rlvr-operator", "x".repeat(100));
        ConfigMap second = settings("rlvr-operator", "x".repeat(100));

        assertThat(first.getMetadata().getLabels().get("a"))
                .isSameAs(second.getMetadata().getLabels().get("a"));
        assertThat(first.getData().get("key")).isEqualTo(second.getData().get("key"));
    }

    @Test
    void equalLabelsAndOwnersOfDifferentObjectsAreTheSame() {
        String text = """
                apiVersion: v1
                kind: Service
                metadata:
                  name: %s
                  labels: {a: "1", b: "2"}
                  ownerReferences: [{apiVersion: rlvr.dev/v1alpha1, kind: RLVRJob, name: sum, uid: some}]
                """;
        ObjectMeta first = client.unmarshal(text.formatted("x"), Service.class).getMetadata();
        ObjectMeta second = client.unmarshal(text.formatted("y"), Service.class).getMetadata();

        assertThat(first.getLabels()).isSameAs(second.getLabels()).isEqualTo(Map.of("a", "1", "b", "2"));
        assertThat(first.getOwnerReferences()).hasSize(1).isSameAs(second.getOwnerReferences());
        assertThat(first.getName()).isNotEqualTo(second.getName());
    }

    @Test
    void collectionsAreSmallAndSayTheSame() {
        ConfigMap read = client.unmarshal("""
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  labels: {z: "1", a: "2", m: "3"}
                  ownerReferences: [{apiVersion: batch/v1, kind: Job, name: sum-1, uid: some}]
                data: {key: value, none: null}
                """, ConfigMap.class);
        ConfigMap other = settings("b", "c");

        Map<String, String> labels = read.getMetadata().getLabels();
        assertThat(labels).isInstanceOf(FlatMap.class).isEqualTo(Map.of("m", "3", "z", "1", "a", "2"));
        assertThat(labels.keySet()).containsExactly("z", "a", "m");
        assertThat(labels.get("a")).isEqualTo("2");
        assertThat(labels).doesNotContainKey("b");
        assertThat(read.getData()).containsEntry("none", null);
        assertThat(read.getMetadata().getAnnotations())
                .isSameAs(other.getMetadata().getAnnotations());
        assertThat(read.getAdditionalProperties()).isSameAs(other.getAdditionalProperties());
        assertThat(read.getMetadata().getFinalizers())
                .isSameAs(other.getMetadata().getFinalizers());
        assertThat(client.clone(read)).isEqualTo(read);
        assertThat(client.asJson(read)).contains("\"labels\":{\"z\":\"1\",\"a\":\"2\",\"m\":\"3\"}", "\"sum-1\"");
        assertThat(new ConfigMapBuilder(read)
                        .editMetadata()
                        .addToLabels("b", "4")
                        .addToAnnotations("c", "5")
                        .endMetadata()
                        .build()
                        .getMetadata()
                        .getLabels())
                .containsKeys("z", "b");
    }

    private ConfigMap settings(String label, String value) {
        return client.unmarshal("""
                apiVersion: v1
                kind: ConfigMap
                metadata: {labels: {a: %s}}
                data: {key: %s}
                """.formatted(label, value), ConfigMap.class);
    }

    @Test
    void whatIsWrittenIsWrittenWhole() {
        String text = text("smallest-attempt.yaml");
        Job attempt = new KubernetesSerialization(new ObjectMapper(), false).unmarshal(text, Job.class);

        String written = client.asYaml(attempt);

        assertThat(written).isEqualTo(new KubernetesSerialization(new ObjectMapper(), false).asYaml(attempt));
        assertThat(written).contains("volumeMounts", "podFailurePolicy", "securityContext", "RLVR_ATTEMPT");
    }

    private static String text(String resource) {
        try (InputStream in = LeanReadsTest.class.getResourceAsStream(resource)) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
