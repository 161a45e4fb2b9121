package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
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
