package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Jobs whose sources have to be downloaded, or to be written by another job, first. */
@RealApiServer
class SourcesTest {
    private static final String FETCHED = "evaluation: [{name: held-out, source: 'hf://datasets/org/sums/test.jsonl'}]";

    private final ApiServer api;
    private Optional<Scene> scene = Optional.empty();
    private Optional<RunningOperator> operator = Optional.empty();

    SourcesTest(ApiServer api) {
        this.api = api;
    }

    /** A namespace that takes restricted pods only. */
    private Scene open(IntFunction<Ending> script) {
        Scene opened = Scene.open(api, script);
        scene = Optional.of(opened);
        opened.client().namespaces().withName(opened.namespace()).edit(namespace -> {
            namespace.getMetadata().getLabels().put("pod-security.kubernetes.io/enforce", "restricted");
            return namespace;
        });
        operator = Optional.of(RunningOperator.start(api, opened.namespace()));
        return opened;
    }

    @AfterEach
    void end() {
        operator.ifPresent(RunningOperator::close);
        scene.ifPresent(Scene::close);
    }

    @Test
    void whatTheUserHasToCorrectEndsTheJobWithTheWordsOfTheContainerThatFetches() {
        String words = "spec.evaluation[held-out].source: hf://datasets/org/sums may not be read (401)";
        Scene scene = open(attempt -> new Ending.FetchExits(2, "a log line\n" + words));
        scene.create(FETCHED);

        RLVRJob job = scene.await(State.Failed);

        assertThat(Scene.condition(job, "Failed").getReason()).isEqualTo("BadInput");
        assertThat(Scene.condition(job, "Failed").getMessage()).isEqualTo(words);
        assertThat(scene.cluster().attempts()).containsExactly(1);
    }

    @Test
    void aHubThatIsAwayCostsTheInfrastructureBudgetAndIsTriedAgain() {
        Scene scene = open(
                attempt -> attempt == 1 ? new Ending.FetchExits(75, "cannot reach the hub") : new Ending.Succeeds());
        scene.create(FETCHED, "lifecycle: {restarts: {user: 0}}");

        RLVRJob job = scene.await(State.Succeeded);

        assertThat(scene.cluster().attempts()).containsExactly(1, 2);
        assertThat(job.getStatus().restarts().infrastructure()).isEqualTo(1);
        assertThat(job.getStatus().restarts().user()).isZero();
    }

    @Test
    void aChainThatIsAppliedAtOnceBeginsWithTheSecondJobOnceTheFirstHasSucceeded() {
        Scene scene = open(attempt -> new Ending.Succeeds());
        String second = """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: second, namespace: %s}
                spec:
                  model: {source: 'job://sum'}
                  data: {source: 'bundled://quickstart/train.jsonl'}
                  reward: {verifier: Numeric}
                  trainer: {gpusPerReplica: 0}
                """.formatted(scene.namespace());
        scene.client()
                .resource(Serialization.unmarshal(second, GenericKubernetesResource.class))
                .create();
        Awaiting.until(
                "the second waits",
                () -> reason(scene).equals("WaitingForSource"),
                () -> job(scene).getStatus());
        assertThat(Scene.condition(job(scene), "Ready").getMessage())
                .startsWith("spec.model.source: job://sum: there is no RLVRJob sum in the namespace yet");
        assertThat(scene.objects()).as("it holds nothing").containsExactly("RLVRJob/second");

        scene.create("checkpoint: {volume: {claimName: shared}}");
        Awaiting.until(
                "the second succeeds",
                () -> job(scene).getStatus().state() == State.Succeeded,
                () -> job(scene).getStatus());

        assertThat(scene.job().getStatus().state()).isEqualTo(State.Succeeded);
        List<Pod> pods = scene.client()
                .pods()
                .inNamespace(scene.namespace())
                .withLabel("rlvr.dev/job", "second")
                .list()
                .getItems();
        assertThat(pods).hasSize(1);
        assertThat(pods.getFirst().getSpec().getContainers().getFirst().getVolumeMounts())
                .filteredOn(mount -> mount.getMountPath().equals("/var/lib/rlvr-jobs/sum"))
                .extracting(VolumeMount::getName, VolumeMount::getSubPath, VolumeMount::getReadOnly)
                .containsExactly(tuple("pvc-shared", scene.namespace() + "-sum", true));
    }

    private static RLVRJob job(Scene scene) {
        return scene.client()
                .resources(RLVRJob.class)
                .inNamespace(scene.namespace())
                .withName("second")
                .get();
    }

    private static String reason(Scene scene) {
        RLVRJob job = job(scene);
        return job.getStatus() == null || job.getStatus().conditions() == null
                ? ""
                : Scene.condition(job, "Ready").getReason();
    }
}
