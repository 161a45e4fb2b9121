package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the pods of a job may do with the token that is mounted in them. */
@RealApiServer
class TrainerRightsTest {
    private static final PatchContext AS_TRAINER = new PatchContext.Builder()
            .withPatchType(PatchType.SERVER_SIDE_APPLY)
            .withFieldManager("rlvr-trainer")
            .build();

    private final Scene scene;
    private final RunningOperator operator;

    TrainerRightsTest(ApiServer api) {
        this.scene = Scene.open(api, attempt -> new Ending.RunsOn());
        this.operator = RunningOperator.start(api, scene.namespace());
    }

    @BeforeEach
    void aJobRuns() {
        scene.create();
        scene.await(State.Running);
    }

    @AfterEach
    void end() {
        operator.close();
        scene.close();
    }

    @Test
    void theTrainerReportsProgressAndTheOperatorLeavesItAlone() {
        try (KubernetesClient trainer = trainer()) {
            report(trainer, Scene.JOB, 12);
        }
        RLVRJob job = scene.await(
                "checkpointed",
                j -> Scene.condition(j, "Checkpointed").getStatus().equals("True"));
        assertThat(job.getStatus().progress().step()).isEqualTo(12);
        assertThat(job.getStatus().checkpoint().step()).isEqualTo(10);
        assertThat(job.getStatus().state()).isEqualTo(State.Running);
        assertThat(job.getMetadata().getManagedFields())
                .filteredOn(entry -> "rlvr-operator".equals(entry.getManager()))
                .singleElement()
                .satisfies(entry -> assertThat(entry.getFieldsV1().toString())
                        .contains("f:conditions")
                        .doesNotContain("f:progress")
                        .doesNotContain("f:checkpoint"));
        try (KubernetesClient trainer = trainer()) {
            report(trainer, Scene.JOB, 13);
        }
        assertThat(scene.job().getStatus().progress().step()).isEqualTo(13);
        assertThat(scene.api().kubectl().run("get", "rlvr", "-n", scene.namespace()))
                .containsPattern("sum +Running +13 +0.5 +0.3 +1000 +0 +");
    }

    @Test
    void theTrainerMayDoNothingElse() {
        String namespace = scene.namespace();
        try (KubernetesClient trainer = trainer()) {
            assertThat(trainer.resources(RLVRJob.class)
                            .inNamespace(namespace)
                            .withName(Scene.JOB)
                            .get())
                    .isNotNull();
            forbidden(() -> report(trainer, "other", 1));
            forbidden(() ->
                    trainer.resources(RLVRJob.class).inNamespace(namespace).list());
            forbidden(() -> trainer.resources(RLVRJob.class)
                    .inNamespace(namespace)
                    .withName(Scene.JOB)
                    .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"lifecycle\":{\"suspend\":true}}}"));
            forbidden(() -> trainer.resources(RLVRJob.class)
                    .inNamespace(namespace)
                    .withName(Scene.JOB)
                    .delete());
            forbidden(() -> trainer.secrets().inNamespace(namespace).list());
            forbidden(() -> trainer.pods().inNamespace(namespace).list());
            forbidden(() -> trainer.configMaps()
                    .inNamespace(namespace)
                    .withName("rlvr-sum")
                    .get());
        }
    }

    private KubernetesClient trainer() {
        return scene.api().client(scene.api().serviceAccountToken(scene.namespace(), "rlvr-sum"));
    }

    private void report(KubernetesClient trainer, String name, int step) {
        RLVRJob patch = new RLVRJob();
        patch.getMetadata().setName(name);
        patch.getMetadata().setNamespace(scene.namespace());
        String now = java.time.Instant.now().toString();
        patch.setStatus(new RLVRJobStatus(
                null,
                null,
                null,
                null,
                null,
                new RLVRJobStatus.Progress(step, 30, 0.5, 0.3, 0.7, 0.2, 40.0, 0.01, 1000.0, now, now),
                new RLVRJobStatus.Checkpoint(step - 2, "checkpoints/step-000010", now),
                null,
                null,
                null,
                null));
        trainer.resource(patch).subresource("status").patch(AS_TRAINER);
    }

    private static void forbidden(ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(KubernetesClientException.class)
                .extracting(e -> ((KubernetesClientException) e).getCode())
                .isEqualTo(403);
    }
}
