package dev.rlvr.operator;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What all attempts of a job share: the {@link JobManifest}, which follows the spec, and the rest, which is created once and then left as it is. */
final class SharedObjects {
    /** The kinds of these; a job has at most one of each, and it bears {@link Ownership#sharedName()}. */
    static final Set<Class<? extends HasMetadata>> KINDS = Set.of(
            ConfigMap.class,
            PersistentVolumeClaim.class,
            ServiceAccount.class,
            Role.class,
            RoleBinding.class,
            Service.class);

    private SharedObjects() {}

    /** All but the manifest, checkpoint claim first. */
    static List<HasMetadata> fixed(Ownership owner) {
        return Stream.concat(
                        CheckpointClaim.of(owner).stream(),
                        Stream.<HasMetadata>of(
                                TrainerServiceAccount.of(owner),
                                StatusRole.of(owner),
                                StatusRole.binding(owner),
                                HeadlessService.of(owner)))
                .toList();
    }

    static boolean areComplete(Ownership owner, Children children) {
        return children.hasManifest(owner, JobManifest.of(owner))
                && missing(owner, children).isEmpty();
    }

    /**
     * Which of the fixed ones are to be created. The binding waits for a pod that has a node and will use it: an API server takes 100 ms for one
     * that is asked for right after its role, and an attempt need not wait for that.
     */
    static List<HasMetadata> missing(Ownership owner, Children children) {
        boolean used = children.of(Pod.class).anyMatch(pod -> pod.getSpec().getNodeName() != null);
        return fixed(owner).stream()
                .filter(wanted -> used || !(wanted instanceof RoleBinding))
                .filter(wanted -> !children.has(owner, wanted))
                .toList();
    }
}
