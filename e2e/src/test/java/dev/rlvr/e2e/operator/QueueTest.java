package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Jobs whose quota Kueue gives and takes; its part is played, the API server is real. */
@RealApiServer
class QueueTest {
    private static final Map<String, String> SPOT = Map.of("cloud.example/kind", "spot");
    private static final Map<String, String> ON_DEMAND = Map.of("cloud.example/kind", "on-demand");

    private final Scene scene;
    private final PlayedKueue kueue;
    private final RunningOperator operator;
    private volatile IntFunction<Ending> script = attempt -> new Ending.RunsOn();

    QueueTest(ApiServer api) {
        scene = Scene.open(api, attempt -> script.apply(attempt));
        kueue = new PlayedKueue(scene.client(), scene.namespace());
        operator = RunningOperator.start(api, scene.namespace());
    }

    @AfterEach
    void end() {
        operator.close();
        scene.close();
    }

    private void create() {
        // no budget at all: whatever is charged ends the job
        scene.create(
                List.of("kueue.x-k8s.io/queue-name: team-a", "kueue.x-k8s.io/priority-class: research", "team: a"),
                "trainer: {replicas: 2, gpusPerReplica: 0, podTemplate: {spec: {nodeSelector: {zone: z1}},"
                        + " metadata: {annotations: {kueue.x-k8s.io/podset-required-topology: example.com/rack}}}}",
                "lifecycle: {restarts: {user: 0, infrastructure: 0}}");
    }

    private List<Pod> pods() {
        return scene.client().pods().inNamespace(scene.namespace()).list().getItems();
    }

    private List<String> reasons() {
        return scene.client().events().v1().events().inNamespace(scene.namespace()).list().getItems().stream()
                .map(Event::getReason)
                .toList();
    }

    @Test
    void aJobWaitsWithTheReasonUntilItIsAdmittedToTheNodesOfItsFlavor() {
        create();
        Job queued = kueue.awaitQueued("sum-1");
        assertThat(queued.getMetadata().getLabels())
                .containsEntry("kueue.x-k8s.io/queue-name", "team-a")
                .containsEntry("kueue.x-k8s.io/priority-class", "research")
                .doesNotContainKey("team");
        assertThat(queued.getSpec().getTemplate().getMetadata().getAnnotations())
                .containsEntry("kueue.x-k8s.io/podset-required-topology", "example.com/rack");
        RLVRJob waiting = scene.await("quota", job -> quota(job).equals("False WaitingForQuota"));
        assertThat(waiting.getStatus().state()).isEqualTo(State.Queued);
        assertThat(Scene.condition(waiting, "QuotaReserved").getMessage())
                .contains("team-a")
                .contains("kueue.x-k8s.io/job-uid=" + queued.getMetadata().getUid());
        assertThat(scene.cluster().attempts()).isEmpty();

        kueue.admit("sum-1", SPOT);
        assertThat(quota(scene.await(State.Running))).isEqualTo("True Admitted");
        assertThat(pods())
                .hasSize(2)
                .allSatisfy(pod -> assertThat(pod.getSpec().getNodeSelector())
                        .containsAllEntriesOf(SPOT)
                        .containsEntry("zone", "z1"));
        Awaiting.until(
                "events of the queue",
                () -> reasons().containsAll(List.of("WaitingForQuota", "QuotaReserved", "Running")),
                this::reasons);
    }

    private static String quota(RLVRJob job) {
        return job.getStatus() == null || job.getStatus().conditions() == null
                ? ""
                : Scene.condition(job, "QuotaReserved").getStatus() + " "
                        + Scene.condition(job, "QuotaReserved").getReason();
    }

    @Test
    void anEvictionCostsNothingAndTheNextAttemptQueuesAsTheUserWroteIt() {
        create();
        kueue.awaitQueued("sum-1");
        kueue.admit("sum-1", SPOT);
        scene.await(State.Running);

        kueue.evict("sum-1", SPOT);
        Job again = kueue.awaitQueued("sum-2");
        assertThat(again.getSpec().getTemplate().getSpec().getNodeSelector()).isEqualTo(Map.of("zone", "z1"));
        RLVRJob queued = scene.await("quota", job -> quota(job).equals("False WaitingForQuota"));
        assertThat(queued.getStatus().state()).isEqualTo(State.Queued);
        assertThat(queued.getStatus().restarts().total()).isZero();
        assertThat(pods()).isEmpty();

        script = attempt -> new Ending.Succeeds();
        kueue.admit("sum-2", ON_DEMAND);
        RLVRJob done = scene.await(State.Succeeded);
        assertThat(done.getStatus().restarts().total()).isZero();
        assertThat(scene.cluster().attempts()).containsExactly(1, 2);
        assertThat(pods())
                .hasSize(2)
                .allSatisfy(pod -> assertThat(pod.getSpec().getNodeSelector()).containsAllEntriesOf(ON_DEMAND));
        Awaiting.until("an event of the eviction", () -> reasons().contains("Evicted"), this::reasons);
        suspendBelongsToKueue();
    }

    @Test
    void anEvictionOfAJobWhosePodsNeverRanCostsNothingEither() {
        script = attempt -> new Ending.Unschedulable("0/3 nodes are available: 3 Insufficient cpu.");
        create();
        kueue.awaitQueued("sum-1");
        kueue.admit("sum-1", SPOT);
        scene.await(State.Starting);
        script = attempt -> new Ending.Succeeds();
        kueue.evict("sum-1", SPOT);
        kueue.awaitQueued("sum-2");
        kueue.admit("sum-2", SPOT);
        assertThat(scene.await(State.Succeeded).getStatus().restarts().total()).isZero();
        suspendBelongsToKueue();
    }

    @Test
    void aPersonsSuspensionWhileQueuedTakesTheJobOutOfTheQueue() {
        create();
        kueue.awaitQueued("sum-1");
        scene.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
        scene.await(State.Suspended);
        assertThat(scene.objects()).noneMatch(object -> object.startsWith("Job/"));
        scene.patchSpec("{\"lifecycle\":{\"suspend\":false}}");
        script = attempt -> new Ending.Succeeds();
        scene.await("the next Job", job -> scene.objects().stream().anyMatch(object -> object.startsWith("Job/")));
        String next = scene.objects().stream()
                .filter(object -> object.startsWith("Job/"))
                .findFirst()
                .orElseThrow()
                .substring("Job/".length());
        kueue.awaitQueued(next);
        kueue.admit(next, SPOT);
        assertThat(scene.await(State.Succeeded).getStatus().restarts().total()).isZero();
    }

    private void suspendBelongsToKueue() {
        assertThat(operator.writes().sent())
                .filteredOn(write -> write.contains("/jobs"))
                .isNotEmpty()
                .allMatch(write -> write.startsWith("POST ") || write.startsWith("DELETE "));
    }
}
