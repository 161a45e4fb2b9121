package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rollout servers in pods of their own, from their creation to their end. */
@RealApiServer
class ServersTest {
    private static final String SERVED = "rollout: {engine: Sglang, servers: {replicas: 2, gpusPerReplica: 0}}";

    private final Scene scene;
    private final RunningOperator operator;

    ServersTest(ApiServer api) {
        this.scene = Scene.open(api, attempt -> attempt == 1 ? new Ending.RunsOn() : new Ending.Succeeds());
        this.operator = RunningOperator.start(api, scene.namespace());
    }

    @AfterEach
    void end() {
        operator.close();
        scene.close();
    }

    @Test
    void serversComeWithAnAttemptAndGoWhenTheJobIsSuspendedAndWhenItIsDone() {
        scene.create(SERVED);
        scene.await(State.Running);
        StatefulSet set = scene.client()
                .apps()
                .statefulSets()
                .inNamespace(scene.namespace())
                .withName("sum-server")
                .get();
        assertThat(set.getSpec().getReplicas()).isEqualTo(2);
        assertThat(set.getSpec().getServiceName()).isEqualTo("rlvr-sum");
        assertThat(trainer().getEnv())
                .anyMatch(variable -> variable.getName().equals("RLVR_SERVERS")
                        && variable.getValue()
                                .equals("http://sum-server-0.rlvr-sum:30000,http://sum-server-1.rlvr-sum:30000"));

        scene.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
        scene.await(State.Suspended);
        Awaiting.until("no pods", () -> pods().isEmpty(), this::pods);
        assertThat(scene.objects()).doesNotContain("StatefulSet/sum-server");

        scene.patchSpec("{\"rollout\":{\"servers\":{\"replicas\":1}}}");
        scene.patchSpec("{\"lifecycle\":{\"suspend\":false}}");
        scene.await(State.Succeeded);
        Awaiting.until("the trainer alone is left", () -> pods().equals(List.of("Pod/sum-2-0-played")), this::pods);
        assertThat(scene.cluster().attempts()).containsExactly(1, 2);
    }

    @Test
    void podsOfServersAreNobodysTrainers() {
        scene.cluster().letServersBeReady(false);
        scene.create(SERVED);
        RLVRJob waiting = scene.await(
                "trainers that wait for servers",
                job -> job.getStatus() != null
                        && job.getStatus().conditions() != null
                        && Scene.condition(job, "PodsReady").getReason().equals("ServersStarting"));
        assertThat(waiting.getStatus().state()).isEqualTo(State.Starting);
        assertThat(pods()).contains("Pod/sum-server-0", "Pod/sum-1-0-played");

        scene.cluster().letServersBeReady(true);
        RLVRJob running = scene.await(State.Running);
        assertThat(Scene.condition(running, "PodsReady").getStatus()).isEqualTo("True");
        assertThat(running.getStatus().restarts().total()).isZero();

        scene.delete();
        scene.awaitObjects("PersistentVolumeClaim/rlvr-sum");
    }

    @Test
    void aServerThatTheApiServerRefusesEndsTheJobWithItsWords() {
        scene.create("rollout: {engine: Sglang, servers: {gpusPerReplica: 0,"
                + " resources: {requests: {cpu: '4'}, limits: {cpu: '2'}}}}");
        RLVRJob job = scene.await(State.Failed);
        assertThat(Scene.condition(job, "Failed").getMessage())
                .contains("the API server refuses")
                .contains("must be less than or equal to cpu limit");
        Awaiting.until("no pods", () -> pods().isEmpty(), this::pods);
    }

    private List<String> pods() {
        return scene.objects().stream()
                .filter(object -> object.startsWith("Pod/"))
                .sorted()
                .toList();
    }

    private Container trainer() {
        return scene.client()
                .batch()
                .v1()
                .jobs()
                .inNamespace(scene.namespace())
                .withName("sum-1")
                .get()
                .getSpec()
                .getTemplate()
                .getSpec()
                .getContainers()
                .getFirst();
    }
}
