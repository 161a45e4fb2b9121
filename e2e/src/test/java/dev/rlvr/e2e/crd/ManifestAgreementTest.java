package dev.rlvr.e2e.crd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.ManifestException;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.Kubectl;
import dev.rlvr.e2e.RealApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a local run takes is what a cluster takes: the manifest reader and a real API server agree. */
@RealApiServer
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ManifestAgreementTest {
    @SuppressWarnings("UnusedVariable") // read by @FieldSource
    private static final List<InvalidManifest> INVALID = InvalidManifest.ALL;

    private static final JsonMapper JSON = new JsonMapper();
    private static final Path QUICKSTART = Path.of("../examples/quickstart/rlvrjob.yaml");

    private final Kubectl kubectl;
    private final String namespace;

    ManifestAgreementTest(ApiServer server) {
        server.applyCrd();
        this.kubectl = server.kubectl();
        this.namespace = server.createNamespace("agreement");
    }

    @Test
    void theQuickstartGetsTheSameDefaultsFromBoth() throws IOException {
        assertSame(stored(Files.readString(QUICKSTART)), bound(Manifest.read(QUICKSTART)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rollout: {}",
                "algorithm: {optimizer: {learningRate: 1e-6, epsilon: 1e-8, weightDecay: 0}, seed: -7}",
                "algorithm: {steps: 0x10, groupSize: 010, forkingTokens: null}",
                "lifecycle: {suspend: yes, ttlAfterFinished: 0s, activeDeadline: 7d}",
                "evaluation: [{name: a, source: 'hf://datasets/org/set@v1/test.parquet'}, {name: b, source: 'pvc://sets/b.parquet', samples: 1, temperature: 0}]",
                "trainer: {resources: {requests: {cpu: '2', memory: 4Gi}, limits: {memory: '8Gi'}}, podTemplate: {spec: {hostNetwork: true}}}",
                "checkpoint: {volume: {claimName: mine}, resumeFrom: 'pvc://old/checkpoints/step-000010', everyInterval: 1h30m}",
                "reward: {verifier: Numeric, overlong: {maxTokens: 100, cacheTokens: 20}, answerPattern: 'Answer: (-?\\d+)$'}",
                "model: {source: 'hf://Qwen/Qwen3-8B-Base', revision: v1, secretName: hf-token}",
                "data: {source: 'hf://datasets/org/set/data/train.jsonl', secretName: hf-token}\n  hubCache: {claimName: hub}",
                "model: {source: 'job://valid-before/checkpoints/step-000050'}\n  checkpoint: {resumeFrom: 'job://older'}",
            })
    void aValidManifestGetsTheSameSpecFromBoth(String fields) throws IOException {
        String text = JobText.of("valid", namespace, fields);

        assertSame(stored(text), bound(Manifest.parse(text, fields)));
    }

    @ParameterizedTest
    @FieldSource("INVALID")
    void anInvalidManifestIsRefusedByBothWithTheFieldsName(InvalidManifest manifest, @TempDir Path folder)
            throws IOException {
        Kubectl.Result answer = apply(manifest.text(namespace), folder);

        assertThat(answer.exitCode()).as(answer.output()).isEqualTo(1);
        assertThat(answer.output()).contains(manifest.field());
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse(manifest.text(namespace), "wrong.yaml"))
                .withMessageContaining(manifest.field());
    }

    @ParameterizedTest
    @ValueSource(strings = {"9lives", "two.words", "Upper", "a-name-that-is-longer-than-the-names-of-pods-allow"})
    void aNameThatNoPodCouldHaveIsRefusedByBoth(String name, @TempDir Path folder) throws IOException {
        String text = JobText.of(name, namespace);

        assertThat(apply(text, folder).output()).contains("metadata.name").contains("invalid");
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse(text, "wrong.yaml"))
                .withMessageContaining("metadata.name");
    }

    @Test
    void aManifestWithoutASpecIsRefusedByBoth(@TempDir Path folder) throws IOException {
        String text =
                "apiVersion: rlvr.dev/v1alpha1\nkind: RLVRJob\nmetadata: {name: empty, namespace: " + namespace + "}\n";

        assertThat(apply(text, folder).output()).contains("spec: Required value");
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse(text, "wrong.yaml"))
                .withMessageContaining("spec: is required");
    }

    private Kubectl.Result apply(String text, Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("job.yaml"), text);
        return kubectl.call("apply", "-f", file.toString());
    }

    /** What the API server would store; not stored, so that the next manifest may have the same name. */
    private JsonNode stored(String text) throws IOException {
        Path file = Files.createTempFile("job", ".yaml");
        try {
            Files.writeString(file, text);
            return JSON.readTree(kubectl.run("create", "--dry-run=server", "-o", "json", "-f", file.toString()))
                    .path("spec");
        } finally {
            Files.delete(file);
        }
    }

    private static JsonNode bound(RLVRJob job) {
        return JSON.valueToTree(job.getSpec());
    }

    /** 1 and 1.0 are the same number. */
    private static int compare(JsonNode left, JsonNode right) {
        if (left.isNumber() && right.isNumber()) {
            return left.decimalValue().compareTo(right.decimalValue());
        }
        return left.equals(right) ? 0 : 1;
    }

    private static void assertSame(JsonNode stored, JsonNode bound) {
        assertThat(stored.equals(ManifestAgreementTest::compare, bound))
                .as("stored %s%nbound  %s", stored, bound)
                .isTrue();
    }
}
