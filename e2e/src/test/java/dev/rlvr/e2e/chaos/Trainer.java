package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Writes the trainer's part of statuses, as rank 0 does: each report one step further. */
final class Trainer {
    private static final int STEPS = 1000;
    private static final PatchContext APPLY = new PatchContext.Builder()
            .withPatchType(PatchType.SERVER_SIDE_APPLY)
            .withFieldManager("rlvr-trainer")
            .withForce(true)
            .build();

    private final KubernetesClient client;
    private final String namespace;
    private final InstantSource clock;
    private final Map<String, Integer> steps = new HashMap<>();
    private final Map<String, Checkpoint> checkpoints = new HashMap<>();

    Trainer(KubernetesClient client, String namespace, InstantSource clock) {
        this.client = client;
        this.namespace = namespace;
        this.clock = clock;
    }

    void report(String job, boolean saves) {
        int step = steps.merge(job, 1, Integer::sum);
        String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
        if (saves) {
            checkpoints.put(job, new Checkpoint(step, "checkpoints/step-%06d".formatted(step), now));
        }
        RLVRJob patch = new RLVRJob();
        patch.setMetadata(
                new ObjectMetaBuilder().withNamespace(namespace).withName(job).build());
        patch.setStatus(status(
                new Progress(step, STEPS, null, null, null, null, null, null, null, null, now),
                Optional.ofNullable(checkpoints.get(job)).orElse(null)));
        try {
            client.resource(patch).subresource("status").patch(APPLY);
        } catch (KubernetesClientException e) {
            // a trainer outlives its resource by its grace period
            if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
                throw e;
            }
        }
    }

    private static RLVRJobStatus status(Progress progress, @Nullable Checkpoint checkpoint) {
        return new RLVRJobStatus(null, null, null, null, null, progress, checkpoint, null, null, null, null);
    }
}
