package dev.rlvr.trainer;

import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.trainer.report.EvaluationFile;
import dev.rlvr.trainer.report.EventFile;
import dev.rlvr.trainer.report.MetricsFile;
import dev.rlvr.trainer.report.RolloutFile;
import dev.rlvr.trainer.report.StatusFile;
import dev.rlvr.trainer.report.StatusSink;
import dev.rlvr.trainer.report.StepLog;
import dev.rlvr.trainer.report.StepMetrics;
import dev.rlvr.trainer.report.TrainerStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Everything that a run tells the outside, in one place: files of the work folder, log, TensorBoard, status. */
final class RunReport implements Report {
    /** Weight of the newest step in the average that the remaining time is estimated from. */
    private static final double SMOOTHING = 0.3;

    /** The trainer's part of the status, in the work folder. */
    static final String STATUS = "trainer-status.json";

    private final int totalSteps;
    private final InstantSource clock;
    private final MetricsFile metrics;
    private final RolloutFile rollouts;
    private final EvaluationFile evaluations;
    private final EventFile events;
    private final StepLog log;
    private final List<StatusSink> sinks;
    private TrainerStatus status = TrainerStatus.NONE;
    private double secondsPerStep = Double.NaN;

    /**
     * Goes on after so many finished steps: what was reported of later ones is dropped, the rest of the earlier attempt's status stays. A sink
     * that shows only what it was last given would otherwise lose it.
     */
    RunReport(Path work, int doneSteps, int totalSteps, StepLog log, List<StatusSink> sinks, InstantSource clock)
            throws IOException {
        this.totalSteps = totalSteps;
        this.clock = clock;
        this.metrics = new MetricsFile(work.resolve("metrics.jsonl"));
        this.rollouts = new RolloutFile(work.resolve("rollouts"));
        this.evaluations = new EvaluationFile(work.resolve("evaluations.jsonl"));
        this.log = log;
        this.sinks = List.copyOf(sinks);
        metrics.truncateAfter(doneSteps);
        evaluations.truncateAfter(doneSteps);
        this.events = EventFile.create(work.resolve("events"), doneSteps, clock);
        TrainerStatus earlier = new StatusFile(work.resolve(STATUS)).read();
        if (earlier.progress() != null && earlier.progress().step() <= doneSteps) {
            status = status.with(earlier.progress());
        }
        if (earlier.checkpoint() != null && earlier.checkpoint().step() <= doneSteps) {
            status = status.with(earlier.checkpoint());
        }
        for (Evaluation known : evaluations.read()) {
            status = status.with(known);
        }
    }

    @Override
    public void phase(TrainerStatus.Phase phase) {
        publish(known -> known.with(phase));
    }

    @Override
    public void step(StepMetrics step, Supplier<List<RolloutFile.Sample>> samples) throws IOException {
        rollouts.write(step.step(), samples.get());
        metrics.append(step);
        events.scalars(step.step(), step.scalars());
        log.step(step);
        secondsPerStep = Double.isNaN(secondsPerStep)
                ? step.stepTime()
                : (1 - SMOOTHING) * secondsPerStep + SMOOTHING * step.stepTime();
        Instant now = clock.instant();
        Instant end = now.plus(Duration.ofMillis(Math.round(1000 * secondsPerStep * (totalSteps - step.step()))));
        publish(known -> known.with(step.progress(totalSteps, end, now)));
    }

    @Override
    public void disagreement(int step, double kl) {
        log.disagreement(step, kl);
    }

    @Override
    public void checkpoint(Checkpoint checkpoint) {
        publish(known -> known.with(checkpoint));
    }

    @Override
    public boolean measured(String name, int step) throws IOException {
        return evaluations.read().stream().anyMatch(known -> known.name().equals(name) && known.step() == step);
    }

    @Override
    public void evaluation(Evaluation evaluation) throws IOException {
        evaluations.append(evaluation);
        log.evaluation(evaluation);
        Map<String, Double> scalars = new LinkedHashMap<>();
        scalars.put("evaluation/" + evaluation.name() + "/avg_at_k", evaluation.avgAtK());
        scalars.put("evaluation/" + evaluation.name() + "/pass_at_k", evaluation.passAtK());
        scalars.put("evaluation/" + evaluation.name() + "/maj_at_k", evaluation.majAtK());
        events.scalars(evaluation.step(), scalars);
        Evaluation withBaseline = evaluations.read().getLast();
        publish(known -> known.with(withBaseline));
    }

    /** Also called by the thread that writes checkpoints. */
    private synchronized void publish(UnaryOperator<TrainerStatus> change) {
        status = change.apply(status);
        sinks.forEach(sink -> sink.publish(status));
    }

    @Override
    public void close() throws IOException {
        events.close();
        sinks.forEach(StatusSink::close);
    }
}
