package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The checkpoint volume runs full under a job: it says so, and goes on once there is room. */
@RealCluster
class FullVolumeTest {
    private static final String CLAIM = "small";

    /** Of an attempt that could not go on writing, and of one that found no room when it began. */
    private static final Pattern FULL = Pattern.compile("No space left on device|has only \\d+ MB left");

    private final Cluster cluster;

    FullVolumeTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @Test
    void aFullVolumeIsNamedAndTrainingGoesOnOnceThereIsRoom() {
        String namespace = cluster.createNamespace("full");
        String folder = "/var/lib/small-" + namespace;
        cluster.commands().onNode("mkdir %1$s && mount -t tmpfs -o size=1g,mode=0777 tmpfs %1$s".formatted(folder));
        bind(namespace, folder);
        try (TrainingJob job = TrainingJob.apply(cluster, namespace, """
                algorithm: {steps: 150}
                checkpoint: {volume: {claimName: %s, size: null, reclaim: null}}
                """.formatted(CLAIM))) {
            int saved = job.awaitCheckpoint(4).step();
            // dd ends with an error when nothing more fits: that is the point
            cluster.commands().onNode("dd if=/dev/zero of=%s/filler bs=1M || true".formatted(folder));
            job.await(
                    "the status says why it waits",
                    status -> status.restarts() != null
                            && status.restarts().total() >= 1
                            && FULL.matcher(TrainingJob.condition(status, "Ready")
                                            .getMessage())
                                    .find());

            Instant freed = Instant.now();
            cluster.commands().onNode("rm %s/filler".formatted(folder));
            RLVRJobStatus end = job.await(State.Succeeded);
            cluster.times().took("full volume freed → end of the job", freed, Instant.now());
            assertThat(Objects.requireNonNull(end.checkpoint()).step()).isEqualTo(150);
            assertThat(job.wentOnFrom(Objects.requireNonNull(end.attempt()))).isGreaterThanOrEqualTo(saved);
            assertThat(Objects.requireNonNull(end.restarts()).user()).isZero();

            // the user's own claim is not the job's to delete
            job.deleteAndAwaitLeft(Set.of("PersistentVolumeClaim/" + CLAIM, "PersistentVolume/" + namespace));
        } finally {
            cluster.client()
                    .persistentVolumeClaims()
                    .inNamespace(namespace)
                    .withName(CLAIM)
                    .delete();
            cluster.client().persistentVolumes().withName(namespace).delete();
            // until the last pod is gone the kubelet may hold it
            Awaiting.until(
                    "the small volume can be taken away",
                    () -> cluster.commands()
                            .onNode("umount %1$s && rmdir %1$s && echo gone".formatted(folder))
                            .contains("gone"),
                    () -> folder);
        }
    }

    private void bind(String namespace, String folder) {
        Map<String, Quantity> size = Map.of("storage", new Quantity("1Gi"));
        cluster.client()
                .resource(new PersistentVolumeBuilder()
                        .withNewMetadata()
                        .withName(namespace)
                        .endMetadata()
                        .withNewSpec()
                        .withCapacity(size)
                        .withAccessModes("ReadWriteOnce")
                        .withStorageClassName("")
                        .withPersistentVolumeReclaimPolicy("Retain")
                        .withNewHostPath(folder, "Directory")
                        .endSpec()
                        .build())
                .create();
        cluster.client()
                .resource(new PersistentVolumeClaimBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName(CLAIM)
                        .endMetadata()
                        .withNewSpec()
                        .withAccessModes("ReadWriteOnce")
                        .withStorageClassName("")
                        .withVolumeName(namespace)
                        .withNewResources()
                        .withRequests(size)
                        .endResources()
                        .endSpec()
                        .build())
                .create();
    }
}
