package dev.rlvr.operator;

import dev.rlvr.crds.Durations;
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
import org.jspecify.annotations.Nullable;

/** The pod of one trainer replica, under the restricted Pod Security Standard; what it promises the trainer is in {@code docs/trainer.md}. */
record TrainerPod(Ownership owner, int attempt, Settings settings) {
    static final String CONTAINER = "trainer";
    static final String TEMPLATE = "spec.trainer.podTemplate";

    /** Where the launcher of pod 0 listens for those of the other pods. */
    private static final int RENDEZVOUS_PORT = 29400;

    private static final String INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']";

    PodTemplateSpec template() {
        PodTemplateSpec generated = generated();
        PodTemplateSpec patched = PodTemplatePatch.of(
                        TEMPLATE, CONTAINER, owner.job().getSpec().fetches(), spec().podTemplate())
                .map(patch -> patch.applyTo(generated))
                .orElse(generated);
        return group().map(group -> group.mark(patched)).orElse(patched);
    }

    private Optional<PodGroup> group() {
        return PodGroup.of(owner, attempt);
    }

    private PodTemplateSpec generated() {
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .withLabels(owner.labels(attempt))
                .endMetadata()
                .withNewSpec()
                .withRestartPolicy("Never")
                .withSchedulerName(group().map(PodGroup::schedulerName).orElse(null))
                .withServiceAccountName(owner.sharedName())
                .withAutomountServiceAccountToken(true)
                .withEnableServiceLinks(false)
                .withSubdomain(owner.sharedName())
                .withTerminationGracePeriodSeconds(
                        Durations.parse(owner.job().getSpec().lifecycle().stopGracePeriod())
                                .toSeconds())
                .withSecurityContext(RestrictedPod.pod())
                .withInitContainers(
                        fetch().container(spec().resources()).stream().toList())
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
                .withImage(image(owner, settings))
                .withImagePullPolicy(settings.imagePullPolicy())
                .withArgs(
                        "--job",
                        JobManifest.PATH,
                        "--work",
                        "%s/%s".formatted(MountedClaims.WORK_ROOT, owner.workFolder(owner.name())))
                .withEnv(environment())
                .withResources(resources())
                .withTerminationMessagePath("/dev/termination-log")
                .withTerminationMessagePolicy("FallbackToLogsOnError")
                .withSecurityContext(RestrictedPod.container(true))
                .withVolumeMounts(mounts())
                .build();
    }

    /** The trainer's image: the job's own, or the one that the operator is configured with. */
    static String image(Ownership owner, Settings settings) {
        return Optional.ofNullable(owner.job().getSpec().trainer().image()).orElse(settings.trainerImage());
    }

    private FetchContainer fetch() {
        return new FetchContainer(owner, settings, MountedClaims.of(owner));
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
        ServerPods.of(owner, settings)
                .ifPresent(
                        servers -> environment.add(new EnvVar("RLVR_SERVERS", String.join(",", servers.urls()), null)));
        TrainerEnvironment.NATIVE.forEach((name, value) -> environment.add(new EnvVar(name, value, null)));
        environment.addAll(fetch().sources());
        environment.addAll(jobs(MountedClaims.of(owner)));
        return environment;
    }

    /** By what a process finds the folders of other jobs, where these are mounted. */
    static List<EnvVar> jobs(MountedClaims claims) {
        return claims.jobs().isEmpty() ? List.of() : List.of(new EnvVar("RLVR_JOBS", MountedClaims.JOBS, null));
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
        return withGpus(spec().resources(), spec().gpuResource(), spec().gpusPerReplica());
    }

    /** Resources with so many GPUs added. */
    static ResourceRequirements withGpus(@Nullable ResourceRequirements asked, String resource, int count) {
        ResourceRequirementsBuilder resources =
                asked == null ? new ResourceRequirementsBuilder() : new ResourceRequirementsBuilder(asked);
        if (count > 0) {
            Quantity gpus = new Quantity(Integer.toString(count));
            // an extended resource must have request and limit alike
            resources.addToRequests(resource, gpus).addToLimits(resource, gpus);
        }
        return resources.build();
    }

    private List<Volume> volumes() {
        List<Volume> volumes = new ArrayList<>(MountedClaims.of(owner).volumes());
        volumes.add(JobManifest.volume(owner));
        volumes.addAll(scratch());
        return volumes;
    }

    /** What a process may write besides, at {@link #scratchMounts()}. */
    static List<Volume> scratch() {
        return List.of(
                new VolumeBuilder()
                        .withName("tmp")
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build(),
                new VolumeBuilder()
                        .withName("shm")
                        .withNewEmptyDir()
                        .withMedium("Memory")
                        .endEmptyDir()
                        .build());
    }

    private List<VolumeMount> mounts() {
        List<VolumeMount> mounts = new ArrayList<>(MountedClaims.of(owner).mounts());
        mounts.add(JobManifest.mount());
        mounts.addAll(scratchMounts());
        return mounts;
    }

    static List<VolumeMount> scratchMounts() {
        return List.of(
                new VolumeMountBuilder().withName("tmp").withMountPath("/tmp").build(),
                new VolumeMountBuilder()
                        .withName("shm")
                        .withMountPath("/dev/shm")
                        .build());
    }
}
