package dev.rlvr.operator;

import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;

/** Who the pods of a job are. */
final class TrainerServiceAccount {
    private TrainerServiceAccount() {}

    static ServiceAccount of(Ownership owner) {
        return new ServiceAccountBuilder()
                .withMetadata(owner.shared())
                .withAutomountServiceAccountToken(false)
                .build();
    }
}
