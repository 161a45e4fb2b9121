package dev.rlvr.operator;

import dev.rlvr.crds.EvaluationSpec;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.Source;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.SequencedSet;
import java.util.stream.Stream;

/**
 * The claims that a pod mounts: the checkpoint volume at {@code /var/lib/rlvr}, and each claim that a {@code pvc://CLAIM/PATH} source names,
 * read-only at {@code /pvc/CLAIM}. Servers read both and write neither. A claim that is both is one volume with two mounts: the same claim twice can hang a kubelet.
 */
record MountedClaims(String checkpoints, boolean writable, SequencedSet<String> sources) {
    static final String WORK = "work";
    static final String SOURCE_PREFIX = "pvc-";
    static final String SOURCE_ROOT = "/pvc/";

    static MountedClaims of(Ownership owner) {
        RLVRJobSpec spec = owner.job().getSpec();
        Stream<String> evaluations =
                Stream.ofNullable(spec.evaluation()).flatMap(List::stream).map(EvaluationSpec::source);
        Stream<String> sources = Stream.concat(
                Stream.of(spec.model().source(), spec.data().source()),
                Stream.concat(Stream.ofNullable(spec.checkpoint().resumeFrom()), evaluations));
        return new MountedClaims(CheckpointClaim.name(owner), true, claims(sources));
    }

    static MountedClaims ofServers(Ownership owner) {
        String model = owner.job().getSpec().model().source();
        return new MountedClaims(CheckpointClaim.name(owner), false, claims(Stream.of(model)));
    }

    private static SequencedSet<String> claims(Stream<String> sources) {
        SequencedSet<String> claims = new LinkedHashSet<>();
        sources.filter(Objects::nonNull)
                .map(Source::parse)
                .filter(source -> source.scheme() == Source.Scheme.PVC)
                .map(source -> source.path().replaceFirst("/.*", ""))
                .forEach(claims::add);
        return claims;
    }

    List<Volume> volumes() {
        List<Volume> volumes = new ArrayList<>(List.of(claim(WORK, checkpoints, false)));
        for (String source : sources) {
            if (!source.equals(checkpoints)) {
                volumes.add(claim(SOURCE_PREFIX + source, source, true));
            }
        }
        return volumes;
    }

    List<VolumeMount> mounts() {
        List<VolumeMount> mounts = new ArrayList<>(List.of(new VolumeMountBuilder()
                .withName(WORK)
                .withMountPath("/var/lib/rlvr")
                .withReadOnly(writable ? null : Boolean.TRUE)
                .build()));
        for (String source : sources) {
            mounts.add(new VolumeMountBuilder()
                    .withName(source.equals(checkpoints) ? WORK : SOURCE_PREFIX + source)
                    .withMountPath(SOURCE_ROOT + source)
                    .withReadOnly(true)
                    .build());
        }
        return mounts;
    }

    private static Volume claim(String name, String claim, boolean readOnly) {
        return new VolumeBuilder()
                .withName(name)
                .withNewPersistentVolumeClaim(claim, readOnly ? Boolean.TRUE : null)
                .build();
    }
}
