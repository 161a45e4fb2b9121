package dev.rlvr.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JobMetricsTest {
    private static final Instant NOW = Instant.parse("2026-01-01T10:00:00Z");

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final JobMetrics metrics = new JobMetrics(registry, Clock.fixed(NOW, ZoneOffset.UTC));

    @Test
    void aCrashLosesWhatAllGpusHaveDoneSinceTheNewestCheckpoint() {
        RLVRJob job = job(status(State.Running, Restarts.NONE, "9:00", "9:50"));

        metrics.stored(job, status(State.Restarting, new Restarts(1, 1, 0, null, null), null, null));

        assertThat(registry.get("rlvr.job.gpu.seconds.lost")
                        .tag("reason", "Crash")
                        .counter()
                        .count())
                .isEqualTo(Duration.ofMinutes(10).toSeconds() * 16.0);
        assertThat(registry.get("rlvr.job.restarts")
                        .tags("reason", "Crash", "budget", "user")
                        .counter()
                        .count())
                .isOne();
    }

    @Test
    void aCheckpointOfAnEarlierAttemptSavesNothingOfThis() {
        RLVRJob job = job(status(State.Running, Restarts.NONE, "9:30", "9:00"));

        metrics.stored(job, status(State.Failed, Restarts.NONE, null, null));

        assertThat(registry.get("rlvr.job.gpu.seconds.lost").counter().count())
                .isEqualTo(Duration.ofMinutes(30).toSeconds() * 16.0);
    }

    @Test
    void aJobThatNeverRanHasLostNothing() {
        metrics.stored(
                job(status(State.Starting, Restarts.NONE, null, null)),
                status(State.Failed, Restarts.NONE, null, null));

        assertThat(registry.find("rlvr.job.gpu.seconds.lost").counter()).isNull();
    }

    @Test
    void aWaitCountsFromTheBeginOfTheAttempt() {
        metrics.stored(
                job(status(State.Queued, Restarts.NONE, null, null)), status(State.Running, Restarts.NONE, null, null));

        assertThat(registry.get("rlvr.job.queue.wait").timer().totalTime(TimeUnit.MINUTES))
                .isEqualTo(90);
        assertThat(registry.get("rlvr.job.transitions")
                        .tags("from", "Queued", "to", "Running")
                        .counter()
                        .count())
                .isOne();
    }

    @Test
    void whatIsStoredWithoutAChangeOfStateCountsNothing() {
        RLVRJobStatus running = status(State.Running, Restarts.NONE, "9:00", null);

        metrics.stored(job(running), running);

        assertThat(registry.getMeters()).isEmpty();
    }

    @Test
    void jobsWithoutAStatusHaveNoStateYet() {
        metrics.watch(() -> Optional.of(Stream.of(job(null), job(status(State.Queued, Restarts.NONE, null, null)))));

        assertThat(registry.get("rlvr.jobs").tag("state", "Queued").gauge().value())
                .isOne();
        assertThat(registry.get("rlvr.jobs").tag("state", "Running").gauge().value())
                .isZero();
    }

    @Test
    void jobsThatAreNotReadYetHaveNoNumber() {
        metrics.watch(Optional::empty);

        assertThat(registry.get("rlvr.jobs").tag("state", "Queued").gauge().value())
                .isNaN();
    }

    private static RLVRJob job(@Nullable RLVRJobStatus status) {
        RLVRJob job = Manifest.parse("""
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: sum}
                spec:
                  model: {source: bundled://model}
                  data: {source: bundled://data.jsonl}
                  reward: {verifier: Numeric}
                  trainer: {replicas: 2, gpusPerReplica: 8}
                """, "test");
        job.setStatus(status);
        return job;
    }

    /** Times are of this morning. */
    private static RLVRJobStatus status(
            State state, Restarts restarts, @Nullable String runningSince, @Nullable String savedAt) {
        List<Condition> conditions = Stream.of(
                        condition("Ready", state == State.Running, "Crash", "8:30"),
                        condition("Running", runningSince != null, "Running", runningSince))
                .toList();
        Checkpoint checkpoint = savedAt == null ? null : new Checkpoint(3, "checkpoints/step-000003", time(savedAt));
        return new RLVRJobStatus(1L, state, conditions, 1, restarts, null, checkpoint, null, time("8:30"), null, null);
    }

    private static Condition condition(String type, boolean holds, String reason, @Nullable String since) {
        return new ConditionBuilder()
                .withType(type)
                .withStatus(holds ? "True" : "False")
                .withReason(reason)
                .withLastTransitionTime(time(since == null ? "8:30" : since))
                .build();
    }

    private static String time(String clock) {
        return "2026-01-01T0" + clock + ":00Z";
    }
}
