package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.lifecycle.Failure;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.PodObservation.Phase;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a pod's status means, in the forms that schedulers and kubelets write. */
class PodLifeTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            PreemptionByScheduler | Preempted
            EvictionByEvictionAPI | Evicted
            DeletionByTaintManager | NodeLost
            DeletionByPodGC | NodeLost
            TerminationByKubelet | Evicted
            SomethingNew | Disrupted
            """)
    void aPodThatTheClusterTookIsTheInfrastructuresWhateverItsProcessSaid(String written, String reason) {
        Failure failure = failure("""
                phase: Failed
                conditions: [{type: DisruptionTarget, status: "True", reason: %s, message: why}]
                containerStatuses: [{name: trainer, state: {terminated: {exitCode: 1, message: SIGTERM}}}]
                """.formatted(written));
        assertThat(failure).isEqualTo(new Failure(Cause.Infrastructure, reason, "why"));
    }

    @ParameterizedTest
    @CsvSource({"Evicted,Evicted", "NodeShutdown,NodeShutdown", "OutOfcpu,Rejected", "UnexpectedAdmissionError,Rejected"
    })
    void aPodThatAKubeletEndedSaysWhy(String written, String reason) {
        Failure failure =
                failure("{phase: Failed, reason: %s, message: The node was low on memory.}".formatted(written));
        assertThat(failure).isEqualTo(new Failure(Cause.Infrastructure, reason, "The node was low on memory."));
    }

    @ParameterizedTest
    @CsvSource({
        "1,User,Crash",
        "2,BadInput,BadInput",
        "75,Infrastructure,TryAgain",
        "137,Infrastructure,Killed",
        "143,Infrastructure,Terminated"
    })
    void anExitCodeTellsWhoseFailureItIs(int code, Cause cause, String reason) {
        Failure failure = failure("""
                phase: Failed
                containerStatuses: [{name: trainer, state: {terminated: {exitCode: %d, message: "log\\n\\nlast line\\n"}}}]
                """.formatted(code));
        assertThat(failure).isEqualTo(new Failure(cause, reason, "last line"));
    }

    @Test
    void anExitWithoutWordsIsNamedByItsCode() {
        assertThat(failure("{phase: Failed, containerStatuses: [{name: trainer, state: {terminated: {exitCode: 7}}}]}")
                        .message())
                .isEqualTo("exit code 7");
    }

    @ParameterizedTest
    @CsvSource({"2,BadInput,BadInput", "75,Infrastructure,TryAgain", "137,Infrastructure,Killed", "1,User,Crash"})
    void aFetchThatFailedIsChargedAsATrainerIs(int code, Cause cause, String reason) {
        Failure failure = failure("""
                phase: Failed
                initContainerStatuses: [{name: fetch, state: {terminated: {exitCode: %d, message: "log\\nlast line"}}}]
                containerStatuses: [{name: trainer, state: {waiting: {reason: PodInitializing}}}]
                """.formatted(code));
        assertThat(failure).isEqualTo(new Failure(cause, reason, "last line"));
    }

    @Test
    void aPodWhoseSourcesAreBeingDownloadedSaysWhereOneSeesHowFar() {
        assertThat(phase("{nodeName: n}", """
                        phase: Pending
                        initContainerStatuses: [{name: fetch, state: {running: {startedAt: "2026-03-01T12:00:00Z"}}}]
                        containerStatuses: [{name: trainer, state: {waiting: {reason: PodInitializing}}}]
                        """)).isInstanceOfSatisfying(Phase.Waiting.class, waiting -> {
            assertThat(waiting.reason()).isEqualTo("Fetching");
            assertThat(waiting.message()).contains("kubectl logs").contains("-c fetch");
        });
    }

    @Test
    void outOfMemoryIsTheUsersOnlyBeyondItsOwnLimit() {
        String status =
                "{phase: Failed, containerStatuses: [{name: trainer, state: {terminated: {exitCode: 137, reason: OOMKilled}}}]}";
        assertThat(failure(status).cause()).isEqualTo(Cause.Infrastructure);
        Phase limited = phase("{containers: [{name: trainer, resources: {limits: {memory: 2Gi}}}]}", status);
        assertThat(limited).isInstanceOfSatisfying(Phase.Failed.class, failed -> {
            assertThat(failed.failure().cause()).isEqualTo(Cause.User);
            assertThat(failed.failure().message()).contains("2Gi").contains("spec.trainer.resources.limits.memory");
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0/3 nodes are available: 3 Insufficient cpu. | Unschedulable
            0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. | VolumeNotBound
            persistentvolumeclaim "mine" not found | VolumeNotBound
            """)
    void theSchedulersWordsArePassedOn(String message, String reason) {
        Phase phase = phase(
                "{containers: []}",
                "{phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: '%s'}]}"
                        .formatted(message));
        assertThat(phase).isEqualTo(new Phase.Waiting(reason, message));
    }

    @ParameterizedTest
    @CsvSource({
        "ErrImagePull,ImagePull",
        "ImagePullBackOff,ImagePull",
        "InvalidImageName,ImagePull",
        "CreateContainerConfigError,ContainerConfig",
        "RunContainerError,ContainerConfig",
        "ContainerCreating,Creating"
    })
    void aWaitingContainerSaysForWhat(String written, String reason) {
        Phase phase = phase(
                "{containers: [], nodeName: n1}",
                "{phase: Pending, containerStatuses: [{name: trainer, image: i:1, state: {waiting: {reason: %s, message: why}}}]}"
                        .formatted(written));
        assertThat(phase).isInstanceOfSatisfying(Phase.Waiting.class, waiting -> {
            assertThat(waiting.reason()).isEqualTo(reason);
            assertThat(waiting.message()).contains(reason.equals("Creating") ? "n1" : "why");
        });
    }

    @Test
    void aFailingInitContainerIsAnInitFailure() {
        assertThat(failure("{phase: Failed, initContainerStatuses: [{name: x, state: {terminated: {exitCode: 3}}}]}")
                        .reason())
                .isEqualTo("InitFailure");
    }

    @Test
    void aRunningPodRunsSinceItsTrainerStarted() {
        assertThat(
                        phase(
                                "{containers: []}",
                                "{phase: Running, containerStatuses: [{name: trainer, state: {running: {startedAt: '2026-01-01T00:00:00Z'}}}]}"))
                .isEqualTo(new Phase.Running(Instant.parse("2026-01-01T00:00:00Z")));
        assertThat(phase("{containers: []}", "{phase: Succeeded}")).isEqualTo(new Phase.Succeeded());
    }

    private static Failure failure(String status) {
        return ((Phase.Failed) phase("{containers: [{name: trainer}]}", status)).failure();
    }

    private static Phase phase(String spec, String status) {
        return new PodLife(
                        new PodBuilder()
                                .withNewMetadata()
                                .withName("p")
                                .endMetadata()
                                .withSpec(yaml(spec, PodSpec.class))
                                .withStatus(yaml(status, PodStatus.class))
                                .build(),
                        TrainerPod.CONTAINER)
                .phase();
    }

    /** The client takes what begins with a brace for JSON, and these are not quoted. */
    private static <T> T yaml(String text, Class<T> type) {
        return Serialization.unmarshal("---\n" + text, type);
    }
}
