package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@RealApiServer
class OperatorTest {
    private static final String[] SHARED = {
        "ConfigMap/rlvr-sum",
        "PersistentVolumeClaim/rlvr-sum",
        "RLVRJob/sum",
        "Role/rlvr-sum",
        "RoleBinding/rlvr-sum",
        "Service/rlvr-sum",
        "ServiceAccount/rlvr-sum"
    };

    private final ApiServer api;
    private Scene scene;
    private RunningOperator operator;

    OperatorTest(ApiServer api) {
        this.api = api;
        this.scene = Scene.open(api, attempt -> new Ending.Succeeds());
        this.operator = RunningOperator.start(api, scene.namespace());
    }

    private void script(IntFunction<Ending> script) {
        end();
        scene = Scene.open(api, script);
        operator = RunningOperator.start(api, scene.namespace());
    }

    @AfterEach
    void end() {
        operator.close();
        scene.close();
    }

    @Test
    void aJobWhosePodsSucceedSucceeds() {
        scene.create();
        RLVRJob job = scene.await(State.Succeeded);
        assertThat(Scene.condition(job, "Ready").getStatus()).isEqualTo("True");
        assertThat(Scene.condition(job, "Complete").getStatus()).isEqualTo("True");
        assertThat(job.getStatus().completionTime()).isNotNull();
        assertThat(job.getStatus().observedGeneration())
                .isEqualTo(job.getMetadata().getGeneration());
        assertThat(scene.cluster().attempts()).containsExactly(1);
        assertThat(scene.objects()).contains(SHARED).contains("Job/sum-1", "Pod/sum-1-0-played");
        assertThat(scene.api().kubectl().run("get", "rlvr", "-n", scene.namespace()))
                .containsPattern("NAME +STATE +STEP +REWARD +ENTROPY +TOK/S +RESTARTS +AGE")
                .containsPattern("sum +Succeeded +0 +");
    }

    @Test
    void aCrashIsRestartedFromTheUserBudgetUntilThatIsUsedUp() {
        script(attempt -> new Ending.Exits(1, "java.lang.ArithmeticException: loss is NaN at step 7"));
        scene.create("lifecycle: {restarts: {user: 1}}");
        RLVRJob job = scene.await(State.Failed);
        assertThat(scene.cluster().attempts()).containsExactly(1, 2);
        assertThat(job.getStatus().restarts().user()).isEqualTo(1);
        assertThat(job.getStatus().restarts().infrastructure()).isZero();
        assertThat(Scene.condition(job, "Failed").getReason()).isEqualTo("Crash");
        assertThat(Scene.condition(job, "Failed").getMessage())
                .contains("loss is NaN at step 7")
                .contains("spec.lifecycle.restarts.user");
        scene.awaitObjects(SHARED);
    }

    @Test
    void anEvictionDoesNotCostTheUserBudget() {
        script(attempt -> attempt == 1 ? new Ending.Evicted() : new Ending.Succeeds());
        scene.create("lifecycle: {restarts: {user: 0}}");
        RLVRJob job = scene.await(State.Succeeded);
        assertThat(scene.cluster().attempts()).containsExactly(1, 2);
        assertThat(job.getStatus().restarts().total()).isEqualTo(1);
        assertThat(job.getStatus().restarts().user()).isZero();
        assertThat(job.getStatus().restarts().infrastructure()).isEqualTo(1);
    }

    @Test
    void wrongInputFailsAtOnceWithTheTrainersWords() {
        script(attempt ->
                new Ending.Exits(2, "some log\nspec.data.answerField: 'anwser' is in no line of train.jsonl"));
        scene.create();
        RLVRJob job = scene.await(State.Failed);
        assertThat(scene.cluster().attempts()).containsExactly(1);
        assertThat(Scene.condition(job, "Failed").getReason()).isEqualTo("BadInput");
        assertThat(Scene.condition(job, "Stalled").getMessage())
                .isEqualTo("spec.data.answerField: 'anwser' is in no line of train.jsonl");
        scene.awaitObjects(SHARED);
    }

    @Test
    void aWaitSaysWhatThePersonCanDoAboutIt() {
        script(attempt -> new Ending.Unschedulable("0/3 nodes are available: 3 Insufficient cpu."));
        scene.create();
        RLVRJob job = scene.await("unschedulable", j -> reason(j).equals("Unschedulable"));
        assertThat(job.getStatus().state()).isEqualTo(State.Starting);
        assertThat(Scene.condition(job, "PodsReady").getMessage()).contains("3 Insufficient cpu");
        script(attempt -> new Ending.Waits("ImagePullBackOff", "Back-off pulling image \"nowhere/trainer:1\""));
        scene.create();
        RLVRJob other = scene.await("image pull", j -> reason(j).equals("ImagePull"));
        assertThat(Scene.condition(other, "Ready").getMessage()).contains("nowhere/trainer:1");
    }

    private static String reason(RLVRJob job) {
        return job.getStatus() == null || job.getStatus().conditions() == null
                ? ""
                : Scene.condition(job, "Ready").getReason();
    }

    @Test
    void deletingTheResourceLeavesTheCheckpointsAndNothingElse() {
        script(attempt -> new Ending.RunsOn());
        scene.create();
        scene.await(State.Running);
        scene.delete();
        scene.awaitObjects("PersistentVolumeClaim/rlvr-sum");
    }

    @Test
    void reclaimDeleteRemovesTheCheckpointsToo() {
        script(attempt -> new Ending.RunsOn());
        scene.create("checkpoint: {volume: {reclaim: Delete}}");
        scene.await(State.Running);
        scene.delete();
        scene.awaitObjects();
    }

    @Test
    void aClaimOfTheUsersIsMountedAndNeverTouched() {
        scene.create("checkpoint: {volume: {claimName: mine}}", "evaluation: []");
        scene.await(State.Succeeded);
        assertThat(scene.objects()).noneMatch(object -> object.startsWith("PersistentVolumeClaim/"));
        assertThat(scene.client()
                        .batch()
                        .v1()
                        .jobs()
                        .inNamespace(scene.namespace())
                        .withName("sum-1")
                        .get()
                        .getSpec()
                        .getTemplate()
                        .getSpec()
                        .getVolumes())
                .anyMatch(volume -> volume.getPersistentVolumeClaim() != null
                        && volume.getPersistentVolumeClaim().getClaimName().equals("mine"));
    }

    @Test
    void aSuspendedJobStopsAndResumesAsTheNextAttempt() {
        script(attempt -> attempt == 1 ? new Ending.RunsOn() : new Ending.Succeeds());
        scene.create();
        scene.await(State.Running);
        scene.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
        RLVRJob suspended = scene.await(State.Suspended);
        assertThat(Scene.condition(suspended, "Suspended").getStatus()).isEqualTo("True");
        scene.awaitObjects(SHARED);
        scene.patchSpec("{\"trainer\":{\"resources\":{\"requests\":{\"cpu\":\"3\"}}}}");
        scene.patchSpec("{\"lifecycle\":{\"suspend\":false}}");
        RLVRJob done = scene.await(State.Succeeded);
        assertThat(scene.cluster().attempts()).containsExactly(1, 2);
        assertThat(done.getStatus().restarts().total()).isZero();
        assertThat(scene.client()
                        .configMaps()
                        .inNamespace(scene.namespace())
                        .withName("rlvr-sum")
                        .get()
                        .getData()
                        .get("job.yaml"))
                .containsPattern("cpu: \"?3");
    }

    @Test
    void theTrainerOfARunningJobCannotBeChanged() {
        script(attempt -> new Ending.RunsOn());
        scene.create();
        scene.await(State.Running);
        assertThatThrownBy(() -> scene.patchSpec("{\"trainer\":{\"threadsPerRank\":7}}"))
                .hasMessageContaining("trainer can only change while the job is suspended");
        assertThatThrownBy(() -> scene.patchSpec("{\"algorithm\":{\"steps\":7}}"))
                .hasMessageContaining("spec.algorithm")
                .hasMessageContaining("cannot change once the job exists");
    }

    @Test
    void anIdleJobCostsNoWrite() throws InterruptedException {
        script(attempt -> new Ending.RunsOn());
        scene.create();
        scene.await(State.Running);
        // the events of the last own writes are still on their way
        Thread.sleep(1_000);
        int before = operator.writes().sent().size();
        String version = scene.job().getMetadata().getResourceVersion();
        Thread.sleep(10_000);
        assertThat(operator.writes().sent()).hasSize(before);
        assertThat(scene.job().getMetadata().getResourceVersion()).isEqualTo(version);
    }

    @Test
    void kueueAloneDecidesWhenAQueuedJobRuns() {
        scene.create(List.of("kueue.x-k8s.io/queue-name: team-a"));
        RLVRJob queued = scene.await("quota", job -> reason(job).equals("WaitingForQuota"));
        assertThat(queued.getStatus().state()).isEqualTo(State.Queued);
        assertThat(Scene.condition(queued, "QuotaReserved").getMessage()).contains("team-a");
        assertThat(scene.cluster().attempts()).isEmpty();
        scene.client()
                .batch()
                .v1()
                .jobs()
                .inNamespace(scene.namespace())
                .withName("sum-1")
                .edit(job -> {
                    assertThat(job.getMetadata().getLabels()).containsEntry("kueue.x-k8s.io/queue-name", "team-a");
                    job.getSpec().setSuspend(false);
                    return job;
                });
        scene.await(State.Succeeded);
    }

    @Test
    void aPodTemplateThatTouchesWhatTheOperatorOwnsFailsWithTheField() {
        scene.create("trainer: {gpusPerReplica: 0, podTemplate: {spec: {restartPolicy: Always}}}");
        RLVRJob job = scene.await(State.Failed);
        assertThat(Scene.condition(job, "Failed").getReason()).isEqualTo("InvalidPod");
        assertThat(Scene.condition(job, "Failed").getMessage())
                .contains("spec.trainer.podTemplate.spec.restartPolicy: cannot be patched");
        assertThat(scene.cluster().attempts()).isEmpty();
    }

    @Test
    void whatTheApiServerRefusesFailsWithItsWords() {
        scene.create("trainer: {gpusPerReplica: 0, resources: {requests: {cpu: '4'}, limits: {cpu: '2'}}}");
        RLVRJob job = scene.await(State.Failed);
        assertThat(Scene.condition(job, "Failed").getMessage())
                .contains("the API server refuses")
                .contains("must be less than or equal to cpu limit");
    }

    @Test
    void aClaimMayHaveANameThatNoVolumeCan() {
        scene.create("evaluation: [{name: mine, source: 'pvc://sets.%s/mine.jsonl'}]".formatted("x".repeat(60)));
        scene.await(State.Succeeded);
    }

    @Test
    void aJobOfTheSameNameWaitsForThePodsOfADeletedOne() {
        script(attempt -> new Ending.RunsOn());
        scene.create();
        String first = scene.await(State.Running).getMetadata().getUid();
        scene.delete();
        scene.create();
        RLVRJob second = scene.await(State.Running);
        assertThat(second.getMetadata().getUid()).isNotEqualTo(first);
        assertThat(scene.client().pods().inNamespace(scene.namespace()).list().getItems())
                .singleElement()
                .satisfies(pod -> assertThat(pod.getMetadata().getLabels())
                        .containsEntry("rlvr.dev/job-uid", second.getMetadata().getUid()));
    }

    @Test
    void whatIsLeftIsRemovedAfterTheTimeToLive() {
        scene.create("lifecycle: {ttlAfterFinished: 1s}");
        scene.awaitObjects("RLVRJob/sum", "PersistentVolumeClaim/rlvr-sum");
        assertThat(scene.job().getStatus().state()).isEqualTo(State.Succeeded);
    }
}
