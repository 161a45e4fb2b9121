package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.RoleBuilder;

/** What the pods of a job may do: read that one job and patch its status. */
final class StatusRole {
    private static final String RESOURCE = "rlvrjobs";

    private StatusRole() {}

    static Role of(Ownership owner) {
        return new RoleBuilder()
                .withMetadata(owner.shared())
                .addNewRule()
                .withApiGroups(RLVRJob.GROUP)
                .withResources(RESOURCE)
                .withResourceNames(owner.name())
                .withVerbs("get")
                .endRule()
                .addNewRule()
                .withApiGroups(RLVRJob.GROUP)
                .withResources(RESOURCE + "/status")
                .withResourceNames(owner.name())
                .withVerbs("patch")
                .endRule()
                .build();
    }

    /** Whether an object is one of these two. */
    static boolean has(HasMetadata object) {
        return object instanceof Role || object instanceof RoleBinding;
    }

    static RoleBinding binding(Ownership owner) {
        return new RoleBindingBuilder()
                .withMetadata(owner.shared())
                .withNewRoleRef("rbac.authorization.k8s.io", "Role", owner.sharedName())
                .addNewSubject()
                .withKind("ServiceAccount")
                .withNamespace(owner.namespace())
                .withName(owner.sharedName())
                .endSubject()
                .build();
    }
}
