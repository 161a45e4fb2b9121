package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.Dependent;
import jakarta.enterprise.event.Observes;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at what the Operator SDK would only answer with pages of stack trace: whether there is a cluster, and our resource in it. */
@Dependent
final class Preflight {
    private static final Logger LOG = LoggerFactory.getLogger(Preflight.class);
    private static final int USERS_INPUT = 2;
    private static final int FAILED = 1;

    void start(@Observes @Priority(1) StartupEvent event, KubernetesClient client) {
        String resource = RLVRJob.GROUP + "/" + RLVRJob.VERSION;
        try {
            if (client.getApiResources(resource) == null) {
                end(
                        USERS_INPUT,
                        "The cluster at %s has no RLVRJob resource (%s); apply it first: kubectl apply -f crds/"
                                .formatted(client.getMasterUrl(), resource));
            }
        } catch (KubernetesClientException e) {
            end(
                    FAILED,
                    "Cannot ask the cluster at %s for its resources: %s; check KUBECONFIG"
                            .formatted(client.getMasterUrl(), cause(e)));
        }
    }

    /** What it came from, in its words. */
    static String cause(Throwable e) {
        Throwable last = e;
        while (last.getCause() != null) {
            last = last.getCause();
        }
        return Optional.ofNullable(last.getMessage()).orElse(last.toString());
    }

    /** Nothing has been started that an orderly exit would have to stop, and one would wait for this very start. */
    private static void end(int code, String message) {
        LOG.error(message);
        Runtime.getRuntime().halt(code);
    }
}
