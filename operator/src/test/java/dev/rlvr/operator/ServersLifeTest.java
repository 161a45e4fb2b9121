package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.lifecycle.PodObservation.Phase;
import dev.rlvr.lifecycle.ServersObservation;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is said of servers by what their pods say. */
class ServersLifeTest {
    private static final String RUNS = "{phase: Running, containerStatuses: [{name: server, state: {running: {}}}]}";

    @Test
    void serversThatAreReadyCanBeUsedWhileOthersStart() {
        assertThat(observe(1, RUNS, "{phase: Pending}").usable()).isEqualTo(1);
        assertThat(observe(1, RUNS, "{phase: Pending}").waiting()).isEmpty();
        assertThat(observe(0).usable()).isZero();
    }

    @Test
    void anImageThatCannotBePulledIsNamed() {
        assertThat(waiting("""
                {phase: Pending, containerStatuses: [{name: server, image: 'sglang:none', state: {waiting:
                  {reason: ErrImagePull, message: not found}}}]}"""))
                .isEqualTo(new Phase.Waiting("ImagePull", "image sglang:none: ErrImagePull: not found"));
    }

    @Test
    void aNodeThatIsMissingIsNamed() {
        assertThat(waiting("""
                {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable,
                  message: 0/3 nodes have 8 GPUs}]}""")).isEqualTo(new Phase.Waiting("Unschedulable", "0/3 nodes have 8 GPUs"));
    }

    @Test
    void aServerThatKeepsCrashingSaysItsLastLine() {
        assertThat(waiting("""
                {phase: Running, containerStatuses: [{name: server, image: own, state: {waiting:
                  {reason: CrashLoopBackOff, message: back-off 40s restarting}},
                  lastState: {terminated: {exitCode: 2, message: 'rlvr: --model: no such folder'}}}]}"""))
                .isEqualTo(new Phase.Waiting("CrashLoop", "it ended with exit code 2: rlvr: --model: no such folder"));
    }

    private static Phase.Waiting waiting(String second) {
        return observe(1, RUNS, second).waiting().orElseThrow();
    }

    private static ServersObservation observe(int ready, String... statuses) {
        List<Pod> pods = IntStream.range(0, statuses.length)
                .mapToObj(index -> new PodBuilder()
                        .withNewMetadata()
                        .withName("served-server-" + index)
                        .endMetadata()
                        .withNewSpec()
                        .endSpec()
                        .withStatus(Serialization.unmarshal("---\n" + statuses[index], PodStatus.class))
                        .build())
                .toList();
        return new ServersLife(
                        new StatefulSetBuilder()
                                .withNewMetadata()
                                .endMetadata()
                                .withNewStatus()
                                .withReadyReplicas(ready)
                                .endStatus()
                                .build(),
                        pods)
                .observe();
    }
}
