package dev.rlvr.operator;

import dev.rlvr.crds.CheckpointSpec;
import dev.rlvr.crds.CheckpointSpec.Reclaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.Map;
import java.util.Optional;

/** The volume that checkpoints are on. It has no owner, and so outlives the job, unless {@code reclaim: Delete} says otherwise. */
final class CheckpointClaim {
    private CheckpointClaim() {}

    /** Name of the claim that pods mount: the user's own, or the one that is created. */
    static String name(Ownership owner) {
        return Optional.ofNullable(owner.job().getSpec().checkpoint().volume().claimName())
                .orElse(owner.sharedName());
    }

    /** The claim to create; empty where the user names one. */
    static Optional<PersistentVolumeClaim> of(Ownership owner) {
        CheckpointSpec.Volume volume = owner.job().getSpec().checkpoint().volume();
        if (volume.claimName() != null) {
            return Optional.empty();
        }
        boolean shared = owner.job().getSpec().trainer().replicas() > 1
                || owner.job().getSpec().rollout().ownServers().isPresent();
        return Optional.of(new PersistentVolumeClaimBuilder()
                .withMetadata(volume.reclaim() == Reclaim.Retain ? owner.kept() : owner.shared())
                .withNewSpec()
                .withAccessModes(shared ? "ReadWriteMany" : "ReadWriteOnce")
                .withStorageClassName(volume.storageClassName())
                .withNewResources()
                .withRequests(Map.of("storage", new Quantity(volume.size())))
                .endResources()
                .endSpec()
                .build());
    }
}
