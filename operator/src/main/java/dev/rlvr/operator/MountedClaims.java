package dev.rlvr.operator;

import dev.rlvr.crds.EvaluationSpec;
import dev.rlvr.crds.HubCacheSpec;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.Source;
import dev.rlvr.crds.Source.Scheme;
import dev.rlvr.lifecycle.JobSources;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesResourceUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The claims that a pod mounts: the checkpoint volume at {@code /var/lib/rlvr}; read-only each claim that a {@code pvc://CLAIM/PATH} source names at
 * {@code /pvc/CLAIM}, the work folder of each job that a {@code job://NAME} source names, and the hub's cache where that has a claim of its own.
 * Servers write to none. A claim that is several of these is one volume with several mounts: the same claim twice can hang a kubelet.
 *
 * @param checkpoints claim of the checkpoint volume
 * @param writable whether the pod's own container writes to it
 * @param sources claims of {@code pvc://} sources
 * @param jobs names in {@code job://} sources
 * @param hub claim of the hub's cache, where that is not on the checkpoint volume
 */
record MountedClaims(
        Ownership owner,
        String checkpoints,
        boolean writable,
        SequencedSet<String> sources,
        SequencedSet<String> jobs,
        Optional<String> hub) {
    static final String WORK = "work";
    static final String SOURCE_PREFIX = "pvc-";
    static final String SOURCE_ROOT = "/pvc/";
    static final String WORK_ROOT = "/var/lib/rlvr";

    /** What is before a job's name where its work folder is mounted. */
    static final String JOBS = "/var/lib/rlvr-jobs/";

    private static final String HUB = "/var/lib/rlvr-hub";

    static MountedClaims of(Ownership owner) {
        RLVRJobSpec spec = owner.job().getSpec();
        Stream<String> sources = Stream.concat(
                Stream.of(spec.model().source(), spec.data().source()),
                Stream.concat(
                        Stream.ofNullable(spec.checkpoint().resumeFrom()),
                        spec.evaluations().stream().map(EvaluationSpec::source)));
        return new MountedClaims(
                owner, CheckpointClaim.name(owner), true, claims(sources), JobSources.names(spec), hub(spec));
    }

    static MountedClaims ofServers(Ownership owner) {
        RLVRJobSpec spec = owner.job().getSpec();
        Source model = Source.parse(spec.model().source());
        SequencedSet<String> jobs = new LinkedHashSet<>();
        if (model.scheme() == Scheme.JOB) {
            jobs.add(model.owner());
        }
        return new MountedClaims(
                owner,
                CheckpointClaim.name(owner),
                false,
                claims(Stream.of(spec.model().source())),
                jobs,
                hub(spec));
    }

    private static Optional<String> hub(RLVRJobSpec spec) {
        return Optional.ofNullable(spec.hubCache()).map(HubCacheSpec::claimName);
    }

    private static SequencedSet<String> claims(Stream<String> sources) {
        SequencedSet<String> claims = new LinkedHashSet<>();
        sources.filter(Objects::nonNull)
                .map(Source::parse)
                .filter(source -> source.scheme() == Scheme.PVC)
                .map(Source::owner)
                .forEach(claims::add);
        return claims;
    }

    /** Folder that hf:// sources are downloaded to. */
    String hubFolder() {
        return hub.isPresent() ? HUB : WORK_ROOT + "/hub";
    }

    List<Volume> volumes() {
        SequencedSet<String> others = new LinkedHashSet<>(sources);
        jobs.stream().map(owner::claimOf).forEach(others::add);
        hub.ifPresent(others::add);
        others.remove(checkpoints);
        List<Volume> volumes = new ArrayList<>(List.of(claim(WORK, checkpoints, false)));
        others.forEach(claim -> volumes.add(claim(name(claim), claim, !hub.equals(Optional.of(claim)))));
        return volumes;
    }

    /** The mounts of the container that trains or serves. */
    List<VolumeMount> mounts() {
        List<VolumeMount> mounts = new ArrayList<>(List.of(mount(WORK, WORK_ROOT, !writable)));
        sources.forEach(claim -> mounts.add(mount(name(claim), SOURCE_ROOT + claim, true)));
        for (String job : jobs) {
            mounts.add(new VolumeMountBuilder(mount(name(owner.claimOf(job)), JOBS + job, true))
                    .withSubPath(owner.workFolder(job))
                    .build());
        }
        hub.ifPresent(claim -> mounts.add(mount(name(claim), HUB, true)));
        return mounts;
    }

    /** The mounts of the container that fetches: it alone writes to the hub's cache. */
    List<VolumeMount> fetchMounts() {
        List<VolumeMount> mounts = new ArrayList<>(List.of(mount(WORK, WORK_ROOT, false)));
        hub.ifPresent(claim -> mounts.add(mount(name(claim), HUB, false)));
        return mounts;
    }

    private String name(String claim) {
        return claim.equals(checkpoints) ? WORK : volume(claim);
    }

    /** A volume of this claim's name, where that can be one: claims may have dots, and be longer. */
    private static String volume(String claim) {
        String name = SOURCE_PREFIX + claim;
        return KubernetesResourceUtil.isValidName(name)
                ? name
                : SOURCE_PREFIX + UUID.nameUUIDFromBytes(claim.getBytes(StandardCharsets.UTF_8));
    }

    private static VolumeMount mount(String volume, String path, boolean readOnly) {
        return new VolumeMountBuilder()
                .withName(volume)
                .withMountPath(path)
                .withReadOnly(readOnly ? Boolean.TRUE : null)
                .build();
    }

    private static Volume claim(String name, String claim, boolean readOnly) {
        return new VolumeBuilder()
                .withName(name)
                .withNewPersistentVolumeClaim(claim, readOnly ? Boolean.TRUE : null)
                .build();
    }
}
