package dev.rlvr.operator;

import dev.rlvr.crds.Durations;
import dev.rlvr.crds.ModelSpec;
import dev.rlvr.crds.TrainerEnvironment;
import dev.rlvr.crds.TrainerSpec;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The pod of one trainer replica, under the restricted Pod Security Standard; what it promises the trainer is in {@code docs/trainer.md}. */
record TrainerPod(Ownership owner, int attempt, Settings settings) {
    static final String CONTAINER = "trainer";

    /** Where the launcher of pod 0 listens for those of the other pods. */
    private static final int RENDEZVOUS_PORT = 29400;

    /** User and group of the process and of the files on its volumes: any but root. */
    private static final long NOBODY = 65532;

    private static final String INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']";

    PodTemplateSpec template() {
        PodTemplateSpec generated = generated();
        return PodTemplatePatch.of(spec())
                .map(patch -> patch.applyTo(generated))
                .orElse(generated);
    }

    private PodTemplateSpec generated() {
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .withLabels(owner.labels(attempt))
                .endMetadata()
                .withNewSpec()
                .withRestartPolicy("Never")
                .withServiceAccountName(owner.sharedName())
                .withAutomountServiceAccountToken(true)
                .withEnableServiceLinks(false)
                .withSubdomain(owner.sharedName())
                .withTerminationGracePeriodSeconds(
                        Durations.parse(owner.job().getSpec().lifecycle().stopGracePeriod())
                                .toSeconds())
                .withNewSecurityContext()
                .withRunAsNonRoot(true)
                .withRunAsUser(NOBODY)
                .withRunAsGroup(NOBODY)
                .withFsGroup(NOBODY)
                .withFsGroupChangePolicy("OnRootMismatch")
                .withNewSeccompProfile()
                .withType("RuntimeDefault")
                .endSeccompProfile()
                .endSecurityContext()
                .withContainers(container())
                .withVolumes(volumes())
                .endSpec()
                .build();
    }

    private TrainerSpec spec() {
        return owner.job().getSpec().trainer();
    }

    private Container container() {
        return new ContainerBuilder()
                .withName(CONTAINER)
                .withImage(Optional.ofNullable(spec().image()).orElse(settings.trainerImage()))
                .withImagePullPolicy(settings.imagePullPolicy())
                .withArgs(
                        "--job",
                        "/etc/rlvr/" + JobManifest.KEY,
                        "--work",
                        "/var/lib/rlvr/%s-%s".formatted(owner.namespace(), owner.name()))
                .withEnv(environment())
                .withResources(resources())
                .withTerminationMessagePath("/dev/termination-log")
                .withTerminationMessagePolicy("FallbackToLogsOnError")
                .withNewSecurityContext()
                .withAllowPrivilegeEscalation(false)
                .withReadOnlyRootFilesystem(true)
                .withNewCapabilities()
                .withDrop("ALL")
                .endCapabilities()
                .endSecurityContext()
                .withVolumeMounts(mounts())
                .build();
    }

    private List<EnvVar> environment() {
        List<EnvVar> environment = new ArrayList<>(List.of(
                new EnvVar("RLVR_ATTEMPT", Integer.toString(attempt), null),
                new EnvVarBuilder()
                        .withName("RLVR_REPLICA")
                        .withNewValueFrom()
                        .withNewFieldRef("v1", INDEX)
                        .endValueFrom()
                        .build(),
                new EnvVar("RLVR_STATUS", "Kubernetes", null),
                new EnvVar("RLVR_TERMINATION_LOG", "/dev/termination-log", null),
                new EnvVar("RLVR_BUNDLED", "/opt/rlvr/bundled", null),
                // the root file system is read-only, and libraries unpack to the home folder
                new EnvVar("HOME", "/tmp", null)));
        if (spec().replicas() > 1) {
            environment.addAll(rendezvous());
        }
        TrainerEnvironment.NATIVE.forEach((name, value) -> environment.add(new EnvVar(name, value, null)));
        ModelSpec model = owner.job().getSpec().model();
        if (model.secretName() != null) {
            environment.add(new EnvVarBuilder()
                    .withName("HF_TOKEN")
                    .withNewValueFrom()
                    .withNewSecretKeyRef("token", model.secretName(), false)
                    .endValueFrom()
                    .build());
        }
        return environment;
    }

    /** Pods find pod 0 by its name, and each other by addresses; the group keeps out a pod that an earlier attempt has left behind. */
    private List<EnvVar> rendezvous() {
        String first = "%s-0.%s:%d".formatted(owner.attemptName(attempt), owner.sharedName(), RENDEZVOUS_PORT);
        return List.of(
                new EnvVar("RLVR_RENDEZVOUS", first, null),
                new EnvVar("RLVR_GROUP", owner.job().getMetadata().getUid() + "-" + attempt, null),
                new EnvVarBuilder()
                        .withName("RLVR_BIND_HOST")
                        .withNewValueFrom()
                        .withNewFieldRef("v1", "status.podIP")
                        .endValueFrom()
                        .build());
    }

    private ResourceRequirements resources() {
        ResourceRequirementsBuilder resources = spec().resources() == null
                ? new ResourceRequirementsBuilder()
                : new ResourceRequirementsBuilder(spec().resources());
        if (spec().gpusPerReplica() > 0) {
            Quantity gpus = new Quantity(Integer.toString(spec().gpusPerReplica()));
            // an extended resource must have request and limit alike
            resources.addToRequests(spec().gpuResource(), gpus).addToLimits(spec().gpuResource(), gpus);
        }
        return resources.build();
    }

    private List<Volume> volumes() {
        List<Volume> volumes = new ArrayList<>(MountedClaims.of(owner).volumes());
        volumes.add(new VolumeBuilder()
                .withName("job")
                .withNewConfigMap()
                .withName(owner.sharedName())
                .endConfigMap()
                .build());
        volumes.add(new VolumeBuilder()
                .withName("tmp")
                .withNewEmptyDir()
                .endEmptyDir()
                .build());
        volumes.add(new VolumeBuilder()
                .withName("shm")
                .withNewEmptyDir()
                .withMedium("Memory")
                .endEmptyDir()
                .build());
        return volumes;
    }

    private List<VolumeMount> mounts() {
        List<VolumeMount> mounts = new ArrayList<>(MountedClaims.of(owner).mounts());
        mounts.add(new VolumeMountBuilder()
                .withName("job")
                .withMountPath("/etc/rlvr")
                .withReadOnly(true)
                .build());
        mounts.add(
                new VolumeMountBuilder().withName("tmp").withMountPath("/tmp").build());
        mounts.add(new VolumeMountBuilder()
                .withName("shm")
                .withMountPath("/dev/shm")
                .build());
        return mounts;
    }
}
