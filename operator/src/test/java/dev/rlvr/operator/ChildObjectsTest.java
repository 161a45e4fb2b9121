package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Every object that the operator makes, compared with the YAML a person would write. */
class ChildObjectsTest {
    private static final Settings SETTINGS = new Settings("registry.example/rlvr-trainer:1", "IfNotPresent");

    @Test
    void theSmallestJobGetsItsVolumeIdentityAndName() throws IOException {
        Ownership owner = owner("smallest.yaml");
        expect("smallest-claim.yaml", CheckpointClaim.of(owner).orElseThrow());
        expect("smallest-service.yaml", HeadlessService.of(owner));
        expect("smallest-account.yaml", TrainerServiceAccount.of(owner));
        expect("smallest-role.yaml", StatusRole.of(owner));
        expect("smallest-binding.yaml", StatusRole.binding(owner));
    }

    @Test
    void anAttemptOfTheSmallestJobIsAnIndexedJobOfOneRestrictedPod() throws IOException {
        expect("smallest-attempt.yaml", AttemptJob.of(owner("smallest.yaml"), 3, SETTINGS));
    }

    @Test
    void aQueuedGpuJobWithClaimsAndAPatchGetsAllOfThem() throws IOException {
        Ownership owner = owner("large.yaml");
        owner.job().getMetadata().setLabels(Map.of(AttemptJob.QUEUE, "team-a"));
        expect("large-attempt.yaml", AttemptJob.of(owner, 1, SETTINGS));
        assertThat(CheckpointClaim.of(owner)).as("the user's own claim").isEmpty();
    }

    @Test
    void serversOfOurOwnAreFromTheTrainersImageAndReadTheCheckpointVolume() throws IOException {
        Ownership owner = owner("served.yaml");
        ServerPods servers = ServerPods.of(owner, SETTINGS).orElseThrow();
        expect("served-servers.yaml", servers.statefulSet());
        assertThat(servers.urls())
                .containsExactly(
                        "http://served-server-0.rlvr-served:30000", "http://served-server-1.rlvr-served:30000");
        assertThat(AttemptJob.of(owner, 1, SETTINGS)
                        .getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .getFirst()
                        .getEnv())
                .contains(new EnvVar("RLVR_SERVERS", String.join(",", servers.urls()), null));
        assertThat(CheckpointClaim.of(owner).orElseThrow().getSpec().getAccessModes())
                .containsExactly("ReadWriteMany");
    }

    @Test
    void anImageOfSglangIsStartedWithItsOwnCommandLine() throws IOException {
        Ownership owner = owner("sglang.yaml");
        owner.job().getMetadata().setLabels(Map.of(AttemptJob.QUEUE, "team-a"));
        expect(
                "sglang-servers.yaml",
                ServerPods.of(owner, SETTINGS).orElseThrow().statefulSet());
    }

    @Test
    void anotherImageDoesNotHaveTheBundledModels() throws IOException {
        Ownership owner = owner("sglang.yaml");
        RLVRJob bundled = Manifest.parse(
                resource("served.yaml")
                        .replace("pvc://models/small", "bundled://quickstart/model")
                        .replace("servers: {", "servers: {image: 'lmsysorg/sglang:v0.5.6', "),
                "served.yaml");
        assertThat(KubernetesObserver.problem(owner, SETTINGS)).isEmpty();
        assertThat(KubernetesObserver.problem(new Ownership(bundled), SETTINGS))
                .hasValueSatisfying(problem -> assertThat(problem).contains("spec.model.source: bundled://"));
    }

    @Test
    void theManifestInTheConfigMapReadsAsTheJobItself() throws IOException {
        Ownership owner = owner("large.yaml");
        RLVRJob read = Manifest.parse(
                Objects.requireNonNull(JobManifest.of(owner).getData().get(JobManifest.KEY)), "job.yaml");
        assertThat(read.getSpec()).isEqualTo(owner.job().getSpec());
        assertThat(read.getMetadata().getName()).isEqualTo("large");
    }

    private static Ownership owner(String manifest) throws IOException {
        RLVRJob job = Manifest.parse(resource(manifest), manifest);
        job.getMetadata().setUid("11111111-2222-3333-4444-555555555555");
        return new Ownership(job);
    }

    private static void expect(String file, Object object) throws IOException {
        assertThat(Serialization.asYaml(object))
                .as(file)
                .isEqualToIgnoringNewLines(
                        Serialization.asYaml(Serialization.unmarshal(resource(file), object.getClass())));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = ChildObjectsTest.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
