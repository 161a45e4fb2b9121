package dev.rlvr.trainer;

import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec;
import dev.rlvr.crds.Durations;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.trainer.checkpoint.CheckpointManifest;
import dev.rlvr.trainer.checkpoint.CheckpointWriter;
import dev.rlvr.trainer.checkpoint.RankFiles;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.UnitTensors;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.optimizer.LearningRate;
import dev.rlvr.trainer.report.TrainerStatus.Phase;
import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.Group;
import dev.rlvr.trainer.rollout.LengthHistory;
import dev.rlvr.trainer.rollout.RandomStreams;
import dev.rlvr.trainer.rollout.RolloutPipeline;
import dev.rlvr.trainer.rollout.Rollouts;
import dev.rlvr.trainer.rollout.StoppedException;
import dev.rlvr.trainer.rollout.TextCodec;
import dev.rlvr.trainer.sharding.ShardedState;
import dev.rlvr.trainer.torch.NativeHeap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;

/**
 * The loop: prompts, samples, verdicts, advantages, forking tokens, loss, update, checkpoint, report. What it does in a step is a function of
 * the weights, the optimizer, the step, the position in the problems and the lengths of earlier answers; that is what a checkpoint holds.
 */
final class Trainer {
    private final RLVRJobSpec spec;
    private final NDManager owner;
    private final Inputs inputs;
    private final TextCodec codec;
    private final AdamW optimizer;
    private final AnswerSource answers;
    private final RolloutPipeline rollouts;
    private final PolicyUpdate update;
    private final Evaluator evaluator;
    private final CheckpointWriter checkpoints;
    private final Report report;
    private final Collectives group;
    private final ShardedState state;
    private final RankFiles ranks;
    private final Path work;
    private final String digest;
    private final BooleanSupplier stopped;
    private final InstantSource clock;

    private int step;
    private long problemsDrawn;
    private LengthHistory lengths;
    private long generatedTokens;
    private int checkpointedStep;
    private Instant checkpointedAt;
    private Duration checkpointing = Duration.ZERO;

    /** What the trainer is made of; {@link TrainerRun} makes it. */
    record Parts(
            NDManager owner,
            Inputs inputs,
            TextCodec codec,
            AdamW optimizer,
            AnswerSource answers,
            RolloutPipeline rollouts,
            PolicyUpdate update,
            Evaluator evaluator,
            CheckpointWriter checkpoints,
            Report report,
            Collectives group,
            ShardedState state,
            RankFiles ranks,
            Path work,
            String digest) {}

    /** Goes on from a manifest's state and the lengths of the answers before, or begins where its step is 0. */
    Trainer(Parts parts, CheckpointManifest from, LengthHistory lengths, BooleanSupplier stopped, InstantSource clock) {
        this.spec = parts.inputs().job().getSpec();
        this.owner = parts.owner();
        this.inputs = parts.inputs();
        this.codec = parts.codec();
        this.optimizer = parts.optimizer();
        this.answers = parts.answers();
        this.rollouts = parts.rollouts();
        this.update = parts.update();
        this.evaluator = parts.evaluator();
        this.checkpoints = parts.checkpoints();
        this.report = parts.report();
        this.group = parts.group();
        this.state = parts.state();
        this.ranks = parts.ranks();
        this.work = parts.work();
        this.digest = parts.digest();
        this.stopped = stopped;
        this.clock = clock;
        this.step = from.step();
        this.problemsDrawn = from.problemsDrawn();
        this.lengths = lengths;
        this.generatedTokens = from.generatedTokens();
        this.checkpointedStep = from.step();
        this.checkpointedAt = clock.instant();
    }

    /**
     * Trains to the end, evaluates and exports.
     *
     * @throws StoppedException after a checkpoint was written, if the process was asked to stop
     */
    void run() throws IOException, InterruptedException {
        answers.weightsChanged(step);
        try {
            evaluate();
            while (step < spec.algorithm().steps()) {
                report.phase(Phase.TRAINING);
                step();
                checkpoints.check();
                checkpointIfDue();
                evaluate();
            }
        } catch (StoppedException e) {
            checkpoint();
            checkpoints.await();
            throw e;
        }
        checkpoint();
        checkpoints.await();
        if (spec.checkpoint().exportHuggingFace()) {
            report.phase(Phase.EXPORTING);
            export();
        }
    }

    /** All ranks give their parts of the weights, layer by layer; the first writes. */
    private void export() throws IOException {
        Iterator<UnitTensors> units = state.stream(owner);
        if (group.rank() == 0) {
            inputs.model().export(work.resolve("model"), units);
        } else {
            units.forEachRemaining(_ -> {});
        }
    }

    private void step() throws IOException, InterruptedException {
        leaveIfStopped();
        Instant start = clock.instant();
        RolloutPipeline.Batch sample = rollouts.next(step, problemsDrawn, lengths);
        leaveIfStopped();
        Instant sampled = clock.instant();
        Rollouts.Batch batch = sample.rollouts();
        LengthHistory known = lengths.with(batch.all());
        StepSummary summary = new StepSummary(sample, step, codec::pieces);
        if (step + 1 < spec.algorithm().steps()) {
            rollouts.begin(step + 1, batch.problemsDrawn(), known);
        }
        NativeHeap.release();
        summary.correct(update::score, spec.algorithm().clip().importance());
        Agreement.of(spec).ifPresent(agreement -> summary.verify(update::score, agreement));
        double learningRate =
                LearningRate.at(step, spec.algorithm().steps(), spec.algorithm().optimizer());
        for (int epoch = 0; epoch < spec.algorithm().epochsPerBatch(); epoch++) {
            List<List<Group>> miniBatches = miniBatches(batch.used());
            for (int i = 0; i < miniBatches.size(); i++) {
                List<PolicyUpdate.Item> items = summary.items(miniBatches.get(i));
                summary.add(update.apply(
                        items,
                        learningRate,
                        RandomStreams.of(
                                RandomStreams.Purpose.MASK, spec.algorithm().seed(), step, epoch, i)));
            }
        }
        NativeHeap.release();
        step++;
        answers.weightsChanged(step);
        problemsDrawn = batch.problemsDrawn();
        lengths = known;
        generatedTokens += summary.generatedTokens();
        Instant end = clock.instant();
        report.step(
                summary.metrics(new StepSummary.Times(
                        step,
                        learningRate,
                        generatedTokens,
                        Duration.between(start, end),
                        Duration.between(sampled, end),
                        checkpointing)),
                summary::samples);
        summary.disagreement().ifPresent(kl -> report.disagreement(step, kl));
        checkpointing = Duration.ZERO;
    }

    private List<List<Group>> miniBatches(List<Group> groups) {
        List<List<Group>> miniBatches = new ArrayList<>();
        int size = spec.algorithm().miniBatchPrompts();
        for (int from = 0; from < groups.size(); from += size) {
            miniBatches.add(groups.subList(from, Math.min(from + size, groups.size())));
        }
        return miniBatches;
    }

    private void evaluate() throws IOException, InterruptedException {
        AlgorithmSpec algorithm = spec.algorithm();
        for (Inputs.HeldOut heldOut : inputs.evaluations()) {
            int every = heldOut.spec().everySteps();
            boolean due = step == 0 || step == algorithm.steps() || (every > 0 && step % every == 0);
            if (due && group.first(report.measured(heldOut.spec().name(), step) ? 1 : 0) == 0) {
                report.phase(Phase.EVALUATING);
                rollouts.settle();
                try (AnswerSource.Session _ = answers.open()) {
                    report.evaluation(evaluator.measure(heldOut, step));
                }
            }
        }
    }

    private void leaveIfStopped() {
        if (group.any(stopped.getAsBoolean())) {
            throw new StoppedException();
        }
    }

    private void checkpointIfDue() throws IOException, InterruptedException {
        int every = spec.checkpoint().everySteps();
        String interval = spec.checkpoint().everyInterval();
        boolean bySteps = every > 0 && step % every == 0;
        boolean byTime = interval != null && !clock.instant().isBefore(checkpointedAt.plus(Durations.parse(interval)));
        // clocks differ: the first rank's counts
        if (group.first(bySteps || byTime ? 1 : 0) == 1) {
            checkpoint();
        }
    }

    /** Begins to save the state after the last finished step, unless that was done already. */
    private void checkpoint() throws IOException, InterruptedException {
        if (checkpointedStep == step) {
            return;
        }
        Instant start = clock.instant();
        String savedAt = start.truncatedTo(ChronoUnit.SECONDS).toString();
        SequencedMap<String, List<ByteBuffer>> files = new LinkedHashMap<>();
        files.put(
                ranks.name("model"),
                Safetensors.pieces(state.written(state.weights()).content("")));
        files.put(ranks.name("optimizer"), Safetensors.pieces(optimizer.content(state::written)));
        if (group.rank() == 0) {
            files.put(LengthHistory.FILE, Safetensors.pieces(lengths.content()));
        }
        // what the writer's thread needs of this one's state, which goes on changing
        CheckpointManifest begun = new CheckpointManifest(
                step, problemsDrawn, optimizer.steps(), generatedTokens, digest, savedAt, Map.of());
        checkpoints.save(step, files, begun::with);
        checkpointedStep = step;
        checkpointedAt = clock.instant();
        checkpointing = checkpointing.plus(Duration.between(start, checkpointedAt));
    }
}
