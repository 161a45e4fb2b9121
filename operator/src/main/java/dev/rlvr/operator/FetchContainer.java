package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJobSpec;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The init container that downloads what {@code hf://} sources name ({@code docs/sources.md}). It alone has tokens and needs a hub; trainers and servers
 * find everything in the cache.
 *
 * @param claims of the pod that it is in
 */
record FetchContainer(Ownership owner, Settings settings, MountedClaims claims) {
    static final String CONTAINER = "fetch";

    /** Where a server of another image finds the model. */
    static final String LINK = "/tmp/model";

    /** What a scheduler and a quota count; devices are not needed to download. */
    private static final Set<String> COMPUTE = Set.of("cpu", "memory", "ephemeral-storage");

    /**
     * The container, where there is something to fetch.
     *
     * @param beside resources of the pod's own container: with the same the pod asks for no more, stays in its class of service and within a quota
     */
    Optional<Container> container(@Nullable ResourceRequirements beside) {
        if (!spec().fetches()) {
            return Optional.empty();
        }
        return Optional.of(new ContainerBuilder()
                .withName(CONTAINER)
                .withImage(TrainerPod.image(owner, settings))
                .withImagePullPolicy(settings.imagePullPolicy())
                .withArgs("fetch", "--job", JobManifest.PATH, "--link", LINK)
                .withEnv(environment())
                .withResources(compute(beside))
                .withTerminationMessagePath("/dev/termination-log")
                .withTerminationMessagePolicy("FallbackToLogsOnError")
                .withSecurityContext(RestrictedPod.container(true))
                .withVolumeMounts(mounts())
                .build());
    }

    private RLVRJobSpec spec() {
        return owner.job().getSpec();
    }

    private List<EnvVar> environment() {
        List<EnvVar> environment = new ArrayList<>(sources());
        environment.add(new EnvVar("RLVR_TERMINATION_LOG", "/dev/termination-log", null));
        environment.add(new EnvVar("HOME", "/tmp", null));
        settings.hubEndpoint().ifPresent(hub -> environment.add(new EnvVar("HF_ENDPOINT", hub, null)));
        token("HF_TOKEN", spec().model().secretName()).ifPresent(environment::add);
        token("RLVR_DATA_TOKEN", spec().data().secretName()).ifPresent(environment::add);
        return environment;
    }

    private static Optional<EnvVar> token(String variable, @Nullable String secret) {
        return Optional.ofNullable(secret)
                .map(name -> new EnvVarBuilder()
                        .withName(variable)
                        .withNewValueFrom()
                        .withNewSecretKeyRef("token", name, false)
                        .endValueFrom()
                        .build());
    }

    /** By what the pod's own container finds what was fetched; empty where nothing is. */
    List<EnvVar> sources() {
        if (!spec().fetches()) {
            return List.of();
        }
        String noted = "%s/%s/sources.json".formatted(MountedClaims.WORK_ROOT, owner.workFolder(owner.name()));
        return List.of(new EnvVar("RLVR_SOURCES", noted, null), new EnvVar("RLVR_HUB_CACHE", claims.hubFolder(), null));
    }

    private List<VolumeMount> mounts() {
        List<VolumeMount> mounts = new ArrayList<>(claims.fetchMounts());
        mounts.add(JobManifest.mount());
        mounts.addAll(TrainerPod.scratchMounts());
        return mounts;
    }

    private static ResourceRequirements compute(@Nullable ResourceRequirements beside) {
        return beside == null
                ? new ResourceRequirements()
                : new ResourceRequirementsBuilder()
                        .withRequests(compute(Optional.ofNullable(beside.getRequests())))
                        .withLimits(compute(Optional.ofNullable(beside.getLimits())))
                        .build();
    }

    private static Map<String, Quantity> compute(Optional<Map<String, Quantity>> of) {
        Map<String, Quantity> compute = new TreeMap<>(of.orElse(Map.of()));
        compute.keySet().retainAll(COMPUTE);
        return compute;
    }
}
