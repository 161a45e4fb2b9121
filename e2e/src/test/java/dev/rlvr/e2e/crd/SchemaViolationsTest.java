package dev.rlvr.e2e.crd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.ManifestException;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every bound of the schema, broken once: a real API server and the manifest reader both refuse it and name the field. */
@RealApiServer
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SchemaViolationsTest {
    private static final Path CRD = Path.of("../crds/rlvrjobs.rlvr.dev-v1.yaml");
    private static final JsonMapper JSON = new JsonMapper();
    private static final String NAME = "wrong";
    private static final String VALID = """
            {"apiVersion": "rlvr.dev/v1alpha1", "kind": "RLVRJob", "metadata": {"name": "wrong"},
             "spec": {"model": {"source": "file:///m"}, "data": {"source": "file:///d"}, "reward": {"verifier": "Exact"}}}
            """;

    private final KubernetesClient client;
    private final String namespace;

    SchemaViolationsTest(ApiServer server) {
        server.applyCrd();
        this.client = server.admin();
        this.namespace = server.createNamespace("violations");
    }

    @AfterAll
    void end() {
        client.close();
    }

    static List<InvalidJob> violations() throws IOException {
        JsonNode schema = new ObjectMapper(new YAMLFactory())
                .readTree(CRD.toFile())
                .at("/spec/versions/0/schema/openAPIV3Schema");
        return SchemaViolations.of(schema, (ObjectNode) JSON.readTree(VALID));
    }

    @Test
    void withThoseWrittenByHandThereAreAtLeast200() throws IOException {
        assertThat(InvalidManifest.ALL).doesNotHaveDuplicates().hasSizeGreaterThan(50);
        assertThat(violations().size() + InvalidManifest.ALL.size()).isGreaterThanOrEqualTo(200);
        assertThat(violations()).extracting(InvalidJob::manifest).doesNotHaveDuplicates();
    }

    @Test
    void whatTheyAreMadeFromIsRight() throws IOException {
        assertThat(send((ObjectNode) JSON.readTree(VALID), "&dryRun=All")).contains(NAME);
        assertThat(Manifest.parse(VALID, "valid.json").getMetadata().getName()).isEqualTo(NAME);
    }

    @ParameterizedTest
    @MethodSource("violations")
    void aBrokenBoundIsRefusedByBothWithTheFieldsName(InvalidJob job) {
        assertThatExceptionOfType(KubernetesClientException.class)
                .isThrownBy(() -> send(job.manifest(), ""))
                .withMessageContaining(job.field());
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse(job.manifest().toString(), "wrong.json"))
                .withMessageContaining(job.field());
        assertThat(client.resources(RLVRJob.class)
                        .inNamespace(namespace)
                        .withName(NAME)
                        .get())
                .as("nothing is there that could get pods")
                .isNull();
    }

    /** Creates it as {@code kubectl create} does: strictly. */
    private String send(ObjectNode manifest, String options) {
        String jobs = "/apis/rlvr.dev/v1alpha1/namespaces/" + namespace + "/rlvrjobs";
        return Objects.requireNonNull(
                client.raw(jobs + "?fieldValidation=Strict" + options, "POST", manifest.toString()));
    }
}
