package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetStatus;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two replicas of the operator, of which one works: it is lost, and the other takes over. */
@RealCluster
class ReplicasTest {
    private final Cluster cluster;

    ReplicasTest(Cluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void twoReplicas() {
        cluster.release().install("replicas=2", "networkPolicy.create=true");
        Awaiting.until("two replicas", () -> cluster.operators().size() == 2, cluster::operators);
        Awaiting.until("one of them may be evicted", () -> budget().getDisruptionsAllowed() == 1, this::budget);
    }

    @AfterEach
    void oneReplica() {
        cluster.release().install();
    }

    @Test
    void theOtherReplicaTakesOverFromAKilledLeaderThatDoesNotComeBack() {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 150}")) {
            job.awaitStep(1);
            Pod leader = leader();
            // without a kubelet nobody starts the leader's container again: so ends a node
            cluster.commands().kill("kubelet");
            Instant killed = Instant.now();
            try {
                cluster.killProcesses(leader);
                awaitReconcile("leading replica and kubelet killed (SIGKILL) → the other's next reconcile", killed);
                assertThat(name(leader())).isNotEqualTo(name(leader));
            } finally {
                cluster.commands().start("kubelet");
            }
            job.awaitUndisturbedEnd();
        }
    }

    @Test
    void anEvictedLeaderGivesTheLeaseBackAndItsBudgetKeepsTheOther() {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 100}")) {
            job.awaitStep(1);
            Pod leader = leader();
            List<Pod> others = cluster.operators().stream()
                    .filter(pod -> !name(pod).equals(name(leader)))
                    .toList();
            Instant evicted = Instant.now();
            assertThat(evict(leader)).isTrue();
            assertThat(others)
                    .hasSize(1)
                    .allSatisfy(other -> assertThat(evict(other))
                            .as("the disruption budget keeps one")
                            .isFalse());
            awaitReconcile("leading replica evicted → the other's next reconcile", evicted);
            assertThat(name(leader())).isNotEqualTo(name(leader));
            job.awaitUndisturbedEnd();
        }
    }

    private PodDisruptionBudgetStatus budget() {
        return cluster.client()
                .policy()
                .v1()
                .podDisruptionBudget()
                .inNamespace(Release.NAMESPACE)
                .withName(Release.NAME)
                .get()
                .getStatus();
    }

    /** Asks once: the client would ask again until the budget allows it. */
    private boolean evict(Pod pod) {
        Config once = new ConfigBuilder(cluster.client().getConfiguration())
                .withRequestRetryBackoffLimit(0)
                .build();
        try (KubernetesClient client =
                new KubernetesClientBuilder().withConfig(once).build()) {
            return client.pods()
                    .inNamespace(Release.NAMESPACE)
                    .withName(name(pod))
                    .evict();
        }
    }

    /** Creates a job and waits until somebody has looked at it. */
    private void awaitReconcile(String measured, Instant from) {
        try (TrainingJob other = TrainingJob.apply(cluster, "lifecycle: {suspend: true}")) {
            other.await(State.Suspended);
            cluster.times().took(measured, from, Instant.now());
        }
    }

    private Pod leader() {
        String leader = Awaiting.value("a leader", cluster::leader, cluster::operators);
        return cluster.operators().stream()
                .filter(pod -> name(pod).equals(leader))
                .findFirst()
                .orElseThrow();
    }

    private static String name(Pod pod) {
        return pod.getMetadata().getName();
    }
}
