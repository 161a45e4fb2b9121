package dev.rlvr.operator;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.Map;

/** The manifest that trainers read, as a ConfigMap. It follows the spec; a trainer reads it once, when it starts. */
final class JobManifest {
    static final String KEY = "job.yaml";

    /** Where containers find it. */
    static final String PATH = "/etc/rlvr/" + KEY;

    /** Name of the volume that it is in. */
    static final String VOLUME = "job";

    private JobManifest() {}

    static ConfigMap of(Ownership owner) {
        return new ConfigMapBuilder()
                .withMetadata(owner.shared())
                .withData(data(owner))
                .build();
    }

    static Volume volume(Ownership owner) {
        return new VolumeBuilder()
                .withName(VOLUME)
                .withNewConfigMap()
                .withName(owner.sharedName())
                .endConfigMap()
                .build();
    }

    static VolumeMount mount() {
        return new VolumeMountBuilder()
                .withName(VOLUME)
                .withMountPath("/etc/rlvr")
                .withReadOnly(true)
                .build();
    }

    /** Labels and annotations are left out: they change often, and no trainer looks at them. */
    static Map<String, String> data(Ownership owner) {
        RLVRJob bare = new RLVRJob();
        bare.setMetadata(new ObjectMetaBuilder()
                .withName(owner.name())
                .withNamespace(owner.namespace())
                .build());
        bare.setSpec(owner.job().getSpec());
        return Map.of(KEY, Manifest.write(bare));
    }
}
