package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.Transition;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.RequestConfigBuilder;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells people what happened to a job, by Kubernetes Events, after the status that says so is stored. Only the operator whose status write
 * was accepted tells, so nothing is told twice; one that dies between the two writes does not tell, and the status still has it.
 */
final class EventRecorder {
    private static final Logger LOG = LoggerFactory.getLogger(EventRecorder.class);

    /** An event is not worth a job's waiting. */
    private static final int PATIENCE_MILLIS = 2_000;

    private final KubernetesClient client;
    private final String instance;
    private final Clock clock;

    EventRecorder(KubernetesClient client, Clock clock) {
        this.client = client.newClient(
                        new RequestConfigBuilder(client.getConfiguration().getRequestConfig())
                                .withRequestRetryBackoffLimit(0)
                                .withRequestTimeout(PATIENCE_MILLIS)
                                .build())
                .adapt(KubernetesClient.class);
        this.instance = Optional.ofNullable(System.getenv("HOSTNAME"))
                .filter(host -> !host.isBlank())
                .orElse(Ownership.MANAGER);
        this.clock = clock;
    }

    /**
     * Tells what happened by a status write that was accepted.
     *
     * @param job the job as it was before that write
     * @param stored the status that was written
     */
    void tell(RLVRJob job, Children children, RLVRJobStatus stored) {
        Ownership owner = new Ownership(job);
        List<Transition> happened = Transition.between(Optional.ofNullable(job.getStatus()), stored);
        for (Transition transition : happened) {
            try {
                client.resource(JobEvent.of(
                                owner, transition, attempt(owner, children, transition), instance, clock.instant()))
                        .create();
            } catch (KubernetesClientException e) {
                if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
                    LOG.warn("{}/{}: no event {}: {}", owner.namespace(), owner.name(), transition, e.getMessage());
                }
            }
        }
    }

    private static Optional<ObjectReference> attempt(Ownership owner, Children children, Transition transition) {
        // what is left of a deleted job of the same name counts as attempt 0
        return Optional.of(transition.attempt())
                .filter(number -> number != Ownership.LEFTOVERS)
                .flatMap(number -> children.job(owner, number))
                .map(attempt -> new ObjectReferenceBuilder()
                        .withApiVersion(attempt.getApiVersion())
                        .withKind(attempt.getKind())
                        .withNamespace(owner.namespace())
                        .withName(attempt.getMetadata().getName())
                        .withUid(attempt.getMetadata().getUid())
                        .build());
    }
}
