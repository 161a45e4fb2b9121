package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** The operator's role lists what is used and nothing else: that less would not do, its refusal by the API server shows in every other test. */
@RealApiServer
class RightsTest {
    /** The API server asks for it when an owner reference blocks deletion, without a request of ours. */
    private static final UsedRight ASKED_BY_ADMISSION = new UsedRight("rlvr.dev", "rlvrjobs/finalizers", "update");

    private final ApiServer api;
    private volatile IntFunction<Ending> script =
            attempt -> attempt == 1 ? new Ending.Exits(1, "boom") : new Ending.RunsOn();

    RightsTest(ApiServer api) {
        this.api = api;
    }

    @Test
    void everyRightOfTheRoleIsUsedInTheLivesOfTwoJobs() {
        Set<UsedRight> used = new TreeSet<>();
        used.addAll(life("Volcano"));
        used.addAll(life("Coscheduling"));
        used.add(ASKED_BY_ADMISSION);
        assertThat(OperatorRights.granted()).isEqualTo(used);
    }

    private Set<UsedRight> life(String scheduler) {
        script = attempt -> attempt == 1 ? new Ending.Exits(1, "boom") : new Ending.RunsOn();
        try (Scene scene = Scene.open(api, attempt -> script.apply(attempt))) {
            PodGroupKind.VOLCANO.install(scene.client(), scene.namespace());
            PodGroupKind.COSCHEDULING.install(scene.client(), scene.namespace());
            List<HasMetadata> inTheWay = inTheWay(scene, scheduler);
            inTheWay.forEach(object -> scene.client().resource(object).create());
            try (RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
                scene.create(
                        "trainer: {gpusPerReplica: 0, gang: {scheduler: %s}}".formatted(scheduler),
                        "rollout: {engine: Sglang, servers: {replicas: 1, gpusPerReplica: 0}}");
                clear(scene, operator, inTheWay);
                scene.await(
                        "attempt 2 runs",
                        job -> job.getStatus().state() == State.Running
                                && job.getStatus().attempt() == 2);
                suspend(scene);
                scene.patchSpec("{\"trainer\":{\"threadsPerRank\":2},\"lifecycle\":{\"suspend\":false}}");
                scene.await(State.Running);
                orphanPods(scene);
                suspend(scene);
                script = attempt -> new Ending.Succeeds();
                scene.patchSpec("{\"lifecycle\":{\"suspend\":false,\"ttlAfterFinished\":\"1s\"}}");
                scene.awaitObjects("RLVRJob/sum", "PersistentVolumeClaim/rlvr-sum");
                return operator.writes().used();
            }
        }
    }

    private static void suspend(Scene scene) {
        scene.patchSpec("{\"lifecycle\":{\"suspend\":true}}");
        scene.await(State.Suspended);
    }

    /** One object of each name that the operator will want to use, which it finds to be somebody else's. */
    private static List<HasMetadata> inTheWay(Scene scene, String scheduler) {
        String group = scheduler.equals("Volcano") ? "scheduling.volcano.sh/v1beta1" : "scheduling.x-k8s.io/v1alpha1";
        String pod = "{metadata: {labels: {of: others}}, spec: {restartPolicy: %s, containers: [{name: c, image: c}]}}";
        List<String> texts = List.of(
                "{apiVersion: v1, kind: ConfigMap, metadata: {name: rlvr-sum}}",
                "{apiVersion: v1, kind: ServiceAccount, metadata: {name: rlvr-sum}}",
                "{apiVersion: v1, kind: Service, metadata: {name: rlvr-sum}, spec: {clusterIP: None}}",
                "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: rlvr-sum}, spec: {accessModes:"
                        + " [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
                "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: rlvr-sum}, rules: []}",
                "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: rlvr-sum}, roleRef:"
                        + " {apiGroup: rbac.authorization.k8s.io, kind: Role, name: nobody}, subjects: []}",
                "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: sum-server}, spec: {replicas: 0, serviceName:"
                        + " none, selector: {matchLabels: {of: others}}, template: " + pod.formatted("Always") + "}}",
                "{apiVersion: batch/v1, kind: Job, metadata: {name: sum-1}, spec: {suspend: true, template: "
                        + pod.formatted("Never") + "}}",
                "{apiVersion: " + group + ", kind: PodGroup, metadata: {name: sum-1}, spec: {minMember: 1}}");
        List<HasMetadata> objects = new ArrayList<>();
        for (String text : texts) {
            objects.addAll(scene.client()
                    // what begins with a brace would be taken for JSON
                    .load(new ByteArrayInputStream(("# YAML\n" + text).getBytes(StandardCharsets.UTF_8)))
                    .items());
        }
        objects.forEach(object -> object.getMetadata().setNamespace(scene.namespace()));
        return objects;
    }

    /** Removes each once the operator has looked whose it is. */
    private static void clear(Scene scene, RunningOperator operator, List<HasMetadata> inTheWay) {
        Awaiting.until(
                "a look at everything in the way",
                () -> {
                    for (Iterator<HasMetadata> each = inTheWay.iterator(); each.hasNext(); ) {
                        HasMetadata object = each.next();
                        if (operator.writes().used().contains(get(object))) {
                            scene.client()
                                    .resource(object)
                                    .withPropagationPolicy(DeletionPropagation.BACKGROUND)
                                    .delete();
                            each.remove();
                            // a change of the job ends the operator's patience with its last failure
                            scene.patchSpec(
                                    "{\"lifecycle\":{\"activeDeadline\":\"%dh\"}}".formatted(90 + inTheWay.size()));
                        }
                    }
                    return inTheWay.isEmpty();
                },
                () -> inTheWay);
    }

    private static UsedRight get(HasMetadata object) {
        String version = object.getApiVersion();
        String group = version.contains("/") ? version.substring(0, version.indexOf('/')) : "";
        return new UsedRight(group, object.getKind().toLowerCase(Locale.ROOT) + "s", "get");
    }

    /** Somebody deletes the Job and keeps its pods. */
    private static void orphanPods(Scene scene) {
        scene.client().pods().inNamespace(scene.namespace()).list().getItems().stream()
                .filter(pod -> pod.getMetadata().getLabels().containsKey("rlvr.dev/attempt"))
                .forEach(pod -> scene.client().resource(pod).edit(stored -> {
                    stored.getMetadata().setOwnerReferences(List.of());
                    return stored;
                }));
        scene.client()
                .batch()
                .v1()
                .jobs()
                .inNamespace(scene.namespace())
                .withLabel("rlvr.dev/attempt")
                .withPropagationPolicy(DeletionPropagation.BACKGROUND)
                .delete();
    }
}
