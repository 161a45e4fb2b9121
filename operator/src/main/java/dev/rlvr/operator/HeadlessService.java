package dev.rlvr.operator;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;

/**
 * Gives each pod a name, {@code <job>-<attempt>-<index>.rlvr-<job>} or {@code <job>-server-<index>.rlvr-<job>}, from its creation on: ranks
 * look for each other before they are ready.
 */
final class HeadlessService {
    private HeadlessService() {}

    static Service of(Ownership owner) {
        return new ServiceBuilder()
                .withMetadata(owner.shared())
                .withNewSpec()
                .withClusterIP("None")
                .withPublishNotReadyAddresses(true)
                .withSelector(owner.podSelector())
                .endSpec()
                .build();
    }
}
