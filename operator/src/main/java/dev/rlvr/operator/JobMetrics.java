package dev.rlvr.operator;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Restarts;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.crds.TrainerSpec;
import io.fabric8.kubernetes.api.model.Condition;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the operator says of its jobs to a monitoring system. Counters follow statuses that were stored, so each transition counts once,
 * whoever else sees it. Names and meanings are in {@code docs/operator.md}.
 */
public final class JobMetrics {
    private static final String NONE = "None";

    private final MeterRegistry registry;
    private final Clock clock;

    /**
     * Metrics in this registry.
     *
     * @param clock what waits and losses are measured with
     */
    public JobMetrics(MeterRegistry registry, Clock clock) {
        this.registry = registry;
        this.clock = clock;
    }

    /** Metrics that nobody reads. */
    static JobMetrics unread(Clock clock) {
        return new JobMetrics(new SimpleMeterRegistry(), clock);
    }

    /**
     * Counts the jobs in each state whenever somebody asks.
     *
     * @param jobs empty while they are not known yet: then their number is not, either
     */
    void watch(Supplier<Optional<Stream<RLVRJob>>> jobs) {
        for (State state : State.values()) {
            Gauge.builder(
                            "rlvr.jobs",
                            jobs,
                            all -> all.get()
                                    .map(known -> (double) in(state, known))
                                    .orElse(Double.NaN))
                    .description("RLVRJobs by state.")
                    .tag("state", state.name())
                    .strongReference(true)
                    .register(registry);
        }
    }

    private static long in(State state, Stream<RLVRJob> jobs) {
        return jobs.filter(job -> state(job.getStatus()).equals(state.name())).count();
    }

    /** A status was stored in the place of the job's former one. */
    void stored(RLVRJob job, RLVRJobStatus next) {
        Optional<RLVRJobStatus> before = Optional.ofNullable(job.getStatus());
        String from = state(job.getStatus());
        String to = state(next);
        if (!from.equals(to)) {
            Counter.builder("rlvr.job.transitions")
                    .description("Changes of jobs' states.")
                    .tags("from", from, "to", to)
                    .register(registry)
                    .increment();
            if (to.equals(State.Running.name())) {
                startedAfter(next);
            }
        }
        Restarts used = before.map(RLVRJobStatus::restarts).orElse(Restarts.NONE);
        Restarts now = Optional.ofNullable(next.restarts()).orElse(Restarts.NONE);
        boolean restarted = now.total() > used.total();
        if (restarted) {
            Counter.builder("rlvr.job.restarts")
                    .description("Restarts of jobs, by the failure and the budget it is charged to.")
                    .tags("reason", reason(next), "budget", now.user() > used.user() ? "user" : "infrastructure")
                    .register(registry)
                    .increment();
        }
        if (restarted || (to.equals(State.Failed.name()) && !from.equals(to))) {
            before.ifPresent(status -> lost(job.getSpec().trainer(), status, reason(next)));
        }
    }

    private void startedAfter(RLVRJobStatus status) {
        time(status.attemptStartTime())
                .ifPresent(begun -> Timer.builder("rlvr.job.queue.wait")
                        .description(
                                "From the begin of an attempt until all its pods run: quota, scheduling, images, volumes.")
                        .serviceLevelObjectives(
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(30),
                                Duration.ofMinutes(1),
                                Duration.ofMinutes(5),
                                Duration.ofMinutes(15),
                                Duration.ofHours(1),
                                Duration.ofHours(6))
                        .register(registry)
                        .record(positive(Duration.between(begun, clock.instant()))));
    }

    /** What was trained since the newest checkpoint is trained again; the time of GPUs that it took is lost. */
    private void lost(TrainerSpec trainer, RLVRJobStatus before, String reason) {
        Optional<Instant> running = Optional.ofNullable(before.conditions()).orElse(List.of()).stream()
                .filter(condition -> condition.getType().equals("Running")
                        && condition.getStatus().equals("True"))
                .findFirst()
                .map(Condition::getLastTransitionTime)
                .flatMap(JobMetrics::time);
        if (running.isEmpty()) {
            return;
        }
        Instant from = Optional.ofNullable(before.checkpoint())
                .flatMap(checkpoint -> time(checkpoint.savedAt()))
                .filter(saved -> saved.isAfter(running.get()))
                .orElse(running.get());
        Duration time = positive(Duration.between(from, clock.instant()));
        Counter.builder("rlvr.job.gpu.seconds.lost")
                .description("GPU-seconds of training that failures have undone.")
                .tag("reason", reason)
                .register(registry)
                .increment(time.toMillis() / 1e3 * trainer.replicas() * trainer.gpusPerReplica());
    }

    private static Duration positive(Duration duration) {
        return duration.isNegative() ? Duration.ZERO : duration;
    }

    private static String state(@Nullable RLVRJobStatus status) {
        return Optional.ofNullable(status)
                .map(RLVRJobStatus::state)
                .map(State::name)
                .orElse(NONE);
    }

    private static String reason(RLVRJobStatus status) {
        return Optional.ofNullable(status.conditions()).orElse(List.of()).stream()
                .filter(condition -> condition.getType().equals("Ready"))
                .map(Condition::getReason)
                .findFirst()
                .orElse(NONE);
    }

    private static Optional<Instant> time(@Nullable String text) {
        return Optional.ofNullable(text).map(Instant::parse);
    }
}
