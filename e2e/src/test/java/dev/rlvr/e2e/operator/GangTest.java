package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Pods that start together. The schedulers are not there, only their kinds, with the fields that are used. */
@RealApiServer
class GangTest {
    private final ApiServer api;

    GangTest(ApiServer api) {
        this.api = api;
    }

    private static void uninstall(Scene scene, PodGroupKind kind) {
        Resource<CustomResourceDefinition> definition = scene.client()
                .apiextensions()
                .v1()
                .customResourceDefinitions()
                .withName("podgroups." + kind.context().getGroup());
        definition.delete();
        Awaiting.until("the kind is gone", () -> definition.get() == null, definition::get);
    }

    private static List<GenericKubernetesResource> groups(Scene scene, PodGroupKind kind) {
        return scene.client()
                .genericKubernetesResources(kind.context())
                .inNamespace(scene.namespace())
                .list()
                .getItems();
    }

    private static List<String> names(Scene scene, PodGroupKind kind) {
        return groups(scene, kind).stream()
                .map(group -> group.getMetadata().getName())
                .toList();
    }

    @Test
    void eachAttemptHasAGroupOfVolcanoOfItsOwn() {
        try (Scene scene =
                Scene.open(api, attempt -> attempt == 1 ? new Ending.Exits(1, "boom") : new Ending.RunsOn())) {
            PodGroupKind.VOLCANO.install(scene.client(), scene.namespace());
            try (RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
                scene.create("trainer: {replicas: 3, gpusPerReplica: 0, gang: {scheduler: Volcano, queue: research}}");
                scene.await(
                        "attempt 2 runs",
                        job -> job.getStatus() != null
                                && job.getStatus().state() == State.Running
                                && job.getStatus().attempt() == 2);
                assertThat(groups(scene, PodGroupKind.VOLCANO)).singleElement().satisfies(group -> {
                    assertThat(group.getMetadata().getName()).isEqualTo("sum-2");
                    assertThat(group.<Map<String, Object>>get("spec"))
                            .containsEntry("minMember", 3)
                            .containsEntry("queue", "research");
                });
                assertThat(scene.client()
                                .pods()
                                .inNamespace(scene.namespace())
                                .list()
                                .getItems())
                        .hasSize(3)
                        .allSatisfy(pod -> {
                            assertThat(pod.getSpec().getSchedulerName()).isEqualTo("volcano");
                            assertThat(pod.getMetadata().getAnnotations())
                                    .containsEntry("scheduling.k8s.io/group-name", "sum-2");
                        });
                scene.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
                scene.await(State.Suspended);
                assertThat(groups(scene, PodGroupKind.VOLCANO)).isEmpty();
                List<String> writes = operator.writes().sent();
                assertThat(writes.indexOf("POST /apis/scheduling.volcano.sh/v1beta1/namespaces/%s/podgroups"
                                .formatted(scene.namespace())))
                        .as("a group is there before its Job")
                        .isNotNegative()
                        .isLessThan(
                                writes.indexOf("POST /apis/batch/v1/namespaces/%s/jobs".formatted(scene.namespace())));
            }
        }
    }

    @Test
    void coschedulingIsToldByALabelAndASchedulerNameOfTheUsersChoice() {
        try (Scene scene = Scene.open(api, attempt -> new Ending.RunsOn())) {
            PodGroupKind.COSCHEDULING.install(scene.client(), scene.namespace());
            try (RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
                assertThat(operator.writes().dead()).isFalse();
                scene.create("trainer: {replicas: 2, gpusPerReplica: 0, gang: {scheduler: Coscheduling},"
                        + " podTemplate: {spec: {schedulerName: gangs}}}");
                scene.await(State.Running);
                assertThat(names(scene, PodGroupKind.COSCHEDULING)).containsExactly("sum-1");
                List<Pod> pods = scene.client()
                        .pods()
                        .inNamespace(scene.namespace())
                        .list()
                        .getItems();
                assertThat(pods).hasSize(2).allSatisfy(pod -> {
                    assertThat(pod.getSpec().getSchedulerName()).isEqualTo("gangs");
                    assertThat(pod.getMetadata().getLabels()).containsEntry("scheduling.x-k8s.io/pod-group", "sum-1");
                });
            }
        }
    }

    @Test
    void aGroupWhoseJobSomebodyRemovedGoesToo() {
        try (Scene scene = Scene.open(api, attempt -> new Ending.RunsOn())) {
            PodGroupKind.VOLCANO.install(scene.client(), scene.namespace());
            try (RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
                assertThat(operator.writes().dead()).isFalse();
                scene.create("trainer: {replicas: 2, gpusPerReplica: 0, gang: {scheduler: Volcano}}");
                scene.await(State.Running);
                scene.client()
                        .batch()
                        .v1()
                        .jobs()
                        .inNamespace(scene.namespace())
                        .withName("sum-1")
                        .delete();
                scene.await(
                        "attempt 2 runs",
                        job -> job.getStatus().state() == State.Running
                                && job.getStatus().attempt() == 2);
                assertThat(names(scene, PodGroupKind.VOLCANO)).containsExactly("sum-2");
            }
        }
    }

    @Test
    void aSchedulerThatIsNotInstalledFailsTheJobWithTheField() {
        try (Scene scene = Scene.open(api, attempt -> new Ending.RunsOn())) {
            uninstall(scene, PodGroupKind.COSCHEDULING);
            try (RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
                assertThat(operator.writes().dead()).isFalse();
                scene.create("trainer: {gpusPerReplica: 0, gang: {scheduler: Coscheduling}}");
                RLVRJob job = scene.await(State.Failed);
                assertThat(Scene.condition(job, "Failed").getMessage())
                        .contains("spec.trainer.gang.scheduler: Coscheduling is not installed");
                assertThat(scene.cluster().attempts()).isEmpty();
            }
        }
    }

    @Test
    void aQueueIsForVolcano() {
        try (Scene scene = Scene.open(api, attempt -> new Ending.RunsOn())) {
            assertThatThrownBy(() -> scene.create(
                            "trainer: {gpusPerReplica: 0, gang: {scheduler: Coscheduling, queue: research}}"))
                    .hasMessageContaining("spec.trainer.gang")
                    .hasMessageContaining("queue has no effect with scheduler Coscheduling");
        }
    }
}
