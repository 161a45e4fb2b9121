package dev.rlvr.lifecycle;

import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.PodObservation.Phase;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** A job of two pods, a clock, and what a test says exists; every decision is stored as a back end would. */
final class Scene {
    static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

    final RLVRJob job;
    Instant now = START;
    boolean resourcesReady = true;
    final List<AttemptObservation> attempts = new ArrayList<>();
    List<String> unsupported = List.of();
    Optional<ServersObservation> servers = Optional.empty();
    List<JobObservation> jobs = List.of();
    Optional<Progress> progress = Optional.empty();
    Optional<Checkpoint> checkpoint = Optional.empty();

    private Scene(RLVRJob job) {
        this.job = job;
    }

    /** @param lifecycle lines of {@code spec.lifecycle} */
    static Scene of(String... lifecycle) {
        return new Scene(job(lifecycle));
    }

    /** A job with two rollout servers of its own. */
    static Scene served(String... lifecycle) {
        return new Scene(job("  rollout: {engine: Sglang, servers: {replicas: 2, gpusPerReplica: 0}}\n", lifecycle));
    }

    /** A job that begins from what others have written. */
    static Scene from(String model, String resumeFrom) {
        String resume = resumeFrom.isEmpty() ? "" : "  checkpoint: {resumeFrom: '%s'}\n".formatted(resumeFrom);
        return new Scene(jobFrom(model, resume));
    }

    /** A job that asks for more than the trainer can do. */
    static Scene unsupported() {
        Scene scene = of();
        scene.unsupported = List.of("spec.algorithm.objective GRPO is not supported in this release; use DAPO");
        return scene;
    }

    private List<String> unsupported(RLVRJobSpec spec) {
        return unsupported;
    }

    static RLVRJob job(String... lifecycle) {
        return job("", lifecycle);
    }

    private static RLVRJob job(String lines, String... lifecycle) {
        return jobFrom("bundled://quickstart/model", lines, lifecycle);
    }

    private static RLVRJob jobFrom(String model, String lines, String... lifecycle) {
        String manifest = """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: story}
                spec:
                  model: {source: '%s'}
                  data: {source: 'bundled://quickstart/train.jsonl'}
                  reward: {verifier: Exact}
                  trainer: {replicas: 2, gpusPerReplica: 0}
                  lifecycle: {%s}
                """.formatted(model, String.join(", ", lifecycle)) + lines;
        RLVRJob job = Manifest.parse(manifest, "story");
        job.getMetadata().setGeneration(1L);
        return job;
    }

    /** One decision, stored. */
    Plan decide() {
        Plan plan = Lifecycle.decide(job, observation(), now, this::unsupported);
        job.setStatus(plan.status());
        return plan;
    }

    Observation observation() {
        return new Observation(resourcesReady, attempts, servers, jobs, progress, checkpoint);
    }

    /** Time goes by. */
    Scene after(Duration duration) {
        now = now.plus(duration);
        return this;
    }

    Scene afterSeconds(long seconds) {
        return after(Duration.ofSeconds(seconds));
    }

    /** Only these attempts exist from now on. */
    Scene exists(AttemptObservation... existing) {
        attempts.clear();
        attempts.addAll(List.of(existing));
        return this;
    }

    /** Attempt 1 exists and all its pods run; decided and stored. */
    Scene running() {
        decide();
        exists(attempt(1, pods(new Phase.Running(now))));
        decide();
        return this;
    }

    Scene suspend(boolean suspend) {
        suspend(job, suspend);
        return this;
    }

    /** A user edits the spec. */
    static void suspend(RLVRJob job, boolean suspend) {
        LifecycleSpec l = job.getSpec().lifecycle();
        LifecycleSpec edited = new LifecycleSpec(
                suspend,
                l.startDeadline(),
                l.activeDeadline(),
                l.stallDeadline(),
                l.peerTimeout(),
                l.stopGracePeriod(),
                l.ttlAfterFinished(),
                l.restarts());
        job.setSpec(withLifecycle(job.getSpec(), edited));
        job.getMetadata().setGeneration(job.getMetadata().getGeneration() + 1);
    }

    static RLVRJobSpec withLifecycle(RLVRJobSpec s, LifecycleSpec lifecycle) {
        return new RLVRJobSpec(
                s.model(),
                s.data(),
                s.reward(),
                s.algorithm(),
                s.rollout(),
                s.evaluation(),
                s.hubCache(),
                s.trainer(),
                s.checkpoint(),
                lifecycle);
    }

    Scene progressAt(Instant time) {
        return progressAt(Timestamp.of(time));
    }

    Scene progressAt(String time) {
        progress = Optional.of(new Progress(3, 10, null, null, null, null, null, null, null, null, time));
        return this;
    }

    /** The trainer writes its own fields of the status. */
    void storeTrainersPart() {
        job.setStatus(withTrainersPart(job.getStatus(), progress, checkpoint));
    }

    static RLVRJobStatus withTrainersPart(
            RLVRJobStatus s, Optional<Progress> progress, Optional<Checkpoint> checkpoint) {
        return new RLVRJobStatus(
                s.observedGeneration(),
                s.state(),
                s.conditions(),
                s.attempt(),
                s.restarts(),
                progress.orElse(null),
                checkpoint.orElse(null),
                s.evaluation(),
                s.attemptStartTime(),
                s.startTime(),
                s.completionTime());
    }

    Scene checkpointAt(Instant time) {
        checkpoint = Optional.of(new Checkpoint(3, "checkpoints/step-000003", Timestamp.of(time)));
        return this;
    }

    AttemptObservation attempt(int number, List<PodObservation> pods) {
        return new AttemptObservation(number, now, new Admission.Admitted(), false, pods, Optional.empty());
    }

    AttemptObservation attempt(int number, Admission admission) {
        return new AttemptObservation(number, now, admission, false, List.of(), Optional.empty());
    }

    static AttemptObservation stopping(AttemptObservation a) {
        return new AttemptObservation(a.number(), a.createdAt(), a.admission(), true, a.pods(), a.outcome());
    }

    static AttemptObservation ended(AttemptObservation a, Outcome outcome) {
        return new AttemptObservation(
                a.number(), a.createdAt(), a.admission(), a.stopping(), a.pods(), Optional.of(outcome));
    }

    static List<PodObservation> pods(Phase... phases) {
        Phase[] both = phases.length == 1 ? new Phase[] {phases[0], phases[0]} : phases;
        return IntStream.range(0, both.length)
                .mapToObj(i -> new PodObservation(i, both[i]))
                .toList();
    }

    static Phase.Failed exit(int code, String line) {
        return new Phase.Failed(Failure.ofExitCode(code, line));
    }

    RLVRJobStatus status() {
        return job.getStatus();
    }

    State state() {
        return job.getStatus().state();
    }

    Condition condition(String type) {
        return status().conditions().stream()
                .filter(c -> c.getType().equals(type))
                .findFirst()
                .orElseThrow();
    }
}
