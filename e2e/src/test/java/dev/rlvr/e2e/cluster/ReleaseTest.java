package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The chart's release is upgraded, rolled back, tested and removed while a job trains: the training does not notice. */
@RealCluster
class ReleaseTest {
    private static final String CRD = "rlvrjobs.rlvr.dev";

    private final Cluster cluster;
    private final Release release;

    ReleaseTest(Cluster cluster) {
        this.cluster = cluster;
        this.release = cluster.release();
    }

    @AfterEach
    void installAsItWas() {
        release.install();
    }

    @Test
    void anUpgradeAndARollbackLeaveTheTrainingAlone() {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 150}")) {
            job.awaitStep(1);
            String pod = uid(job.pod(0));
            Pod first = cluster.operator();
            int revision = release.revision();

            Instant upgraded = Instant.now();
            release.install("log.level=DEBUG", "podAnnotations.upgraded=yes");
            cluster.times().took("`helm upgrade` → next operator ready", upgraded, Instant.now());
            Pod second = cluster.operator();
            assertThat(uid(second)).isNotEqualTo(uid(first));
            assertThat(second.getMetadata().getAnnotations()).containsEntry("upgraded", "yes");
            job.awaitStepAfter(upgraded);

            Instant rolledBack = Instant.now();
            release.rollback(revision);
            cluster.times().took("`helm rollback` → operator ready as before", rolledBack, Instant.now());
            Pod third = cluster.operator();
            assertThat(uid(third)).isNotEqualTo(uid(second));
            assertThat(settings(third)).isEqualTo(settings(first)).isNotEqualTo(settings(second));
            job.awaitStepAfter(rolledBack);

            assertThat(job.status().state()).isEqualTo(State.Running);
            assertThat(uid(job.pod(0))).isEqualTo(pod);
            job.awaitUndisturbedEnd();
        }
    }

    @Test
    void theChartsTestPassesWhileTheOperatorIsReadyAndFailsWhileThereIsNone() {
        assertThat(release.test()).containsIgnoringCase("phase:").containsIgnoringCase("succeeded");

        scale(0);
        try {
            Awaiting.until("no operator is left", () -> cluster.operators().isEmpty(), cluster::operators);
            assertThatThrownBy(release::test)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("rlvr-operator-test");
        } finally {
            // as helm has it, or the next upgrade meets somebody else's number
            scale(1);
        }
    }

    @Test
    void jobsOutliveAnUpgradeThatAddsFieldsToTheirResource(@TempDir Path older) {
        OlderChart.write(
                release.chart(),
                older,
                List.of("lifecycle.ttlAfterFinished", "lifecycle.peerTimeout", "checkpoint.everyInterval"));
        new Release(older, release.values()).install();
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 100}")) {
            job.awaitStep(1);
            String pod = uid(job.pod(0));
            RLVRJob before = job.find().orElseThrow();
            job.patchSpec("{\"lifecycle\":{\"ttlAfterFinished\":\"1h\"}}");
            assertThat(job.spec().lifecycle().ttlAfterFinished())
                    .as("a field that the older resource does not have is not kept")
                    .isNull();

            release.install();
            Awaiting.until(
                    "a new field has its default",
                    () -> "60s".equals(job.spec().lifecycle().peerTimeout()),
                    job::spec);
            RLVRJob after = job.find().orElseThrow();
            assertThat(uid(after)).isEqualTo(uid(before));
            assertThat(after.getMetadata().getGeneration())
                    .isEqualTo(before.getMetadata().getGeneration());
            assertThat(after.getSpec().algorithm()).isEqualTo(before.getSpec().algorithm());
            job.patchSpec("{\"lifecycle\":{\"ttlAfterFinished\":\"1h\"}}");
            assertThat(job.spec().lifecycle().ttlAfterFinished()).isEqualTo("1h");

            assertThat(job.status().state()).isEqualTo(State.Running);
            assertThat(uid(job.pod(0))).isEqualTo(pod);
            job.awaitUndisturbedEnd();
        }
    }

    @Test
    void jobsTrainToTheEndWithoutTheReleaseAndTheNextOneSaysSo() {
        try (TrainingJob job = TrainingJob.apply(cluster, "algorithm: {steps: 60}")) {
            job.awaitStep(1);
            release.uninstall();
            assertThat(cluster.operators()).isEmpty();
            assertThat(cluster.client()
                            .apiextensions()
                            .v1()
                            .customResourceDefinitions()
                            .withName(CRD)
                            .get())
                    .as("the resource is kept")
                    .isNotNull();

            Awaiting.until(
                    "the trainer ends by itself",
                    () -> job.pods(1).stream()
                            .allMatch(left -> left.getStatus().getPhase().equals("Succeeded")),
                    job::pods);
            assertThat(Objects.requireNonNull(job.status().progress()).step())
                    .as("the trainer reports by itself")
                    .isEqualTo(60);
            assertThat(job.status().state()).isEqualTo(State.Running);

            release.install();
            job.awaitUndisturbedEnd();
        }
    }

    private void scale(int replicas) {
        cluster.client()
                .apps()
                .deployments()
                .inNamespace(Release.NAMESPACE)
                .withName(Release.NAME)
                .scale(replicas);
    }

    private static List<EnvVar> settings(Pod operator) {
        return operator.getSpec().getContainers().getFirst().getEnv();
    }

    private static String uid(HasMetadata object) {
        return object.getMetadata().getUid();
    }
}
