package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Every object that the operator makes, compared with the YAML a person would write. */
class ChildObjectsTest {
    private static final Settings SETTINGS =
            new Settings("registry.example/rlvr-trainer:1", "IfNotPresent", Optional.of("https://hub.example"));

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
    void anImageOfVllmIsStartedSoThatItsWeightsCanBeReplacedAndItsAnswersSayWhichTheyAreFrom() throws IOException {
        expect(
                "vllm-servers.yaml",
                ServerPods.of(owner("vllm.yaml"), SETTINGS).orElseThrow().statefulSet());
    }

    @Test
    void onCpusVllmReadsEachPromptAtOnce() throws IOException {
        Ownership owner = new Ownership(
                Manifest.parse(resource("vllm.yaml").replace("gpusPerReplica: 2", "gpusPerReplica: 0"), "vllm.yaml"));
        owner.job().getMetadata().setUid("11111111-2222-3333-4444-555555555555");
        assertThat(ServerPods.of(owner, SETTINGS)
                        .orElseThrow()
                        .statefulSet()
                        .getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .getFirst()
                        .getArgs())
                .contains("--no-enable-chunked-prefill")
                .doesNotContain("--tensor-parallel-size");
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
    void whatOtherJobsHaveWrittenIsMountedReadOnlyFromWhereverTheyWroteIt() throws IOException {
        Ownership owner = new Ownership(owner("chained.yaml").job(), Map.of("base", "shared", "older", "rlvr-chained"));
        PodSpec pod = AttemptJob.of(owner, 1, SETTINGS).getSpec().getTemplate().getSpec();

        Container trainer = pod.getContainers().getFirst();
        assertThat(trainer.getEnv()).contains(new EnvVar("RLVR_JOBS", "/var/lib/rlvr-jobs/", null));
        assertThat(trainer.getVolumeMounts())
                .contains(
                        mount("pvc-shared", "/var/lib/rlvr-jobs/base", "research-base"),
                        mount("work", "/var/lib/rlvr-jobs/older", "research-older"));
        assertThat(pod.getVolumes())
                .filteredOn(volume -> volume.getPersistentVolumeClaim() != null)
                .extracting(volume -> volume.getName() + " "
                        + volume.getPersistentVolumeClaim().getClaimName() + " "
                        + volume.getPersistentVolumeClaim().getReadOnly())
                .containsExactly("work rlvr-chained null", "pvc-shared shared true", "pvc-hub hub null");
        assertThat(new Ownership(owner.job()).claimOf("base"))
                .as("that of a job that was deleted")
                .isEqualTo("rlvr-base");
    }

    @Test
    void aClaimMayHaveANameThatNoVolumeCan() throws IOException {
        String claim = "models.of-a-team-" + "x".repeat(60);
        Ownership owner = new Ownership(Manifest.parse(
                resource("served.yaml").replace("pvc://models/", "pvc://" + claim + "/"), "served.yaml"));
        PodSpec pod = AttemptJob.of(owner, 1, SETTINGS).getSpec().getTemplate().getSpec();

        assertThat(pod.getVolumes())
                .filteredOn(volume -> volume.getPersistentVolumeClaim() != null
                        && volume.getPersistentVolumeClaim().getClaimName().equals(claim))
                .singleElement()
                .satisfies(volume -> {
                    assertThat(volume.getName()).matches("pvc-[-a-z0-9]{1,59}");
                    assertThat(pod.getContainers().getFirst().getVolumeMounts())
                            .filteredOn(mount -> mount.getName().equals(volume.getName()))
                            .extracting(VolumeMount::getMountPath)
                            .containsExactly("/pvc/" + claim);
                });
    }

    private static VolumeMount mount(String volume, String path, String subPath) {
        return new VolumeMountBuilder()
                .withName(volume)
                .withMountPath(path)
                .withSubPath(subPath)
                .withReadOnly(true)
                .build();
    }

    @Test
    void aCacheOfItsOwnIsWrittenByTheContainerThatFetchesAlone() throws IOException {
        Ownership owner = owner("chained.yaml");
        PodSpec pod = AttemptJob.of(owner, 1, SETTINGS).getSpec().getTemplate().getSpec();

        Container fetch = pod.getInitContainers().getFirst();
        assertThat(fetch.getVolumeMounts())
                .contains(new VolumeMountBuilder()
                        .withName("pvc-hub")
                        .withMountPath("/var/lib/rlvr-hub")
                        .build());
        assertThat(fetch.getEnv())
                .extracting(EnvVar::getName)
                .contains("RLVR_DATA_TOKEN")
                .doesNotContain("HF_TOKEN");
        Container trainer = pod.getContainers().getFirst();
        assertThat(trainer.getVolumeMounts())
                .contains(new VolumeMountBuilder()
                        .withName("pvc-hub")
                        .withMountPath("/var/lib/rlvr-hub")
                        .withReadOnly(true)
                        .build());
        assertThat(trainer.getEnv())
                .contains(new EnvVar("RLVR_HUB_CACHE", "/var/lib/rlvr-hub", null))
                .noneMatch(variable -> variable.getName().contains("TOKEN"));
    }

    @Test
    void serversOfAnotherImageReadWhatAJobHasExported() throws IOException {
        Ownership owner = owner("chained.yaml");
        Container server = ServerPods.of(owner, SETTINGS)
                .orElseThrow()
                .statefulSet()
                .getSpec()
                .getTemplate()
                .getSpec()
                .getContainers()
                .getFirst();
        assertThat(server.getArgs()).contains("/var/lib/rlvr-jobs/base/model");
        assertThat(KubernetesObserver.problem(owner, SETTINGS)).isEmpty();

        RLVRJob raw = Manifest.parse(
                resource("chained.yaml").replace("job://base", "job://base/checkpoints/step-000010"), "chained.yaml");
        assertThat(KubernetesObserver.problem(new Ownership(raw), SETTINGS))
                .hasValueSatisfying(problem -> assertThat(problem).contains("job://base/model"));
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
