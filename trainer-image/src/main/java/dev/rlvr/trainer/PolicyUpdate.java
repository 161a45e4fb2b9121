package dev.rlvr.trainer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Denominator;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.EntropyFrom;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Scope;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Select;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ForwardPass;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.objective.ForkingTokenMask;
import dev.rlvr.trainer.objective.PolicyLoss;
import dev.rlvr.trainer.objective.RatioStatistics;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.rollout.Group;
import dev.rlvr.trainer.rollout.Sample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * One gradient step on a mini-batch: score all its tokens, take the forking tokens among them, go backward from these. The denominator,
 * and with scope MiniBatch the mask, are those of the whole mini-batch, so the result does not depend on how it is cut into micro-batches.
 */
final class PolicyUpdate {
    private final Decoder decoder;
    private final ModelTensors gradients;
    private final AdamW optimizer;
    private final PolicyLoss loss;
    private final AlgorithmSpec algorithm;
    private final double temperature;
    private final int microBatchTokens;
    private final RecomputationPlan recomputation;
    private final SharedPrompts sharedPrompts;

    PolicyUpdate(
            Decoder decoder,
            ModelTensors gradients,
            AdamW optimizer,
            PolicyLoss loss,
            AlgorithmSpec algorithm,
            double temperature,
            int microBatchTokens,
            RecomputationPlan recomputation) {
        this.decoder = decoder;
        this.gradients = gradients;
        this.optimizer = optimizer;
        this.loss = loss;
        this.algorithm = algorithm;
        this.temperature = temperature;
        this.microBatchTokens = microBatchTokens;
        this.recomputation = recomputation;
        this.sharedPrompts = SharedPrompts.of(decoder.weights().config(), microBatchTokens);
    }

    /** An answer and what the update needs of it. {@code kept} is filled in by the update. */
    @SuppressWarnings("ArrayRecordComponent") // one flag per token, set once
    record Item(List<Integer> prompt, Sample sample, double advantage, boolean[] kept) {
        /** The answers of a group. */
        static List<Item> of(Group group) {
            return IntStream.range(0, group.samples().size())
                    .mapToObj(i -> new Item(
                            group.prompt(),
                            group.samples().get(i),
                            group.advantages().get(i),
                            new boolean[group.samples().get(i).length()]))
                    .toList();
        }

        TokenBatch.Row row() {
            return new TokenBatch.Row(
                    prompt, Arrays.stream(sample.tokens()).boxed().toList());
        }
    }

    /** Figures of one gradient step. */
    record Result(double loss, double gradientNorm, double threshold, int kept, RatioStatistics statistics) {}

    /** Makes the step. */
    Result apply(List<Item> miniBatch, double learningRate, RandomGenerator random) {
        List<MicroBatch> parts = MicroBatch.cut(sharedPrompts.pack(miniBatch), microBatchTokens);
        double sum = sharesOneThreshold() ? together(parts, random) : oneByOne(parts, random);
        ForkingTokenMask mask =
                ForkingTokenMask.join(parts.stream().map(MicroBatch::mask).toList(), algorithm.forkingTokens());
        int denominator =
                algorithm.forkingTokens().denominator() == Denominator.Kept ? mask.count() : mask.kept().length;
        double norm = 0;
        if (mask.count() > 0) {
            norm = optimizer.step(gradients, denominator, learningRate);
            decoder.refresh();
        }
        RatioStatistics statistics = parts.stream()
                .map(part -> part.statistics(algorithm.clip()))
                .reduce(RatioStatistics.NONE, RatioStatistics::plus);
        return new Result(sum / Math.max(1, denominator), norm, mask.threshold(), mask.count(), statistics);
    }

    /** Whether no micro-batch can go backward before all have been scored. */
    private boolean sharesOneThreshold() {
        ForkingTokens tokens = algorithm.forkingTokens();
        return tokens.scope() == Scope.MiniBatch
                && tokens.entropyFrom() == EntropyFrom.Current
                && tokens.select() != Select.All
                && tokens.entropyThreshold() == null;
    }

    /** Scores all micro-batches, takes the mask over all of them, then runs backward for each. */
    private double together(List<MicroBatch> parts, RandomGenerator random) {
        RecomputationPlan.Choice choice = recomputation.choose(
                parts.stream().mapToLong(part -> part.tokens().padded()).sum(),
                parts.stream().mapToLong(part -> part.tokens().padded()).max().orElse(0));
        List<ForwardPass> passes = new ArrayList<>();
        try {
            for (MicroBatch part : parts) {
                if (choice.together()) {
                    passes.add(decoder.forward(part.tokens(), choice.retention()));
                    part.take(passes.getLast().score(temperature));
                } else {
                    part.take(decoder.score(part.tokens(), temperature));
                }
            }
            mark(parts, ForkingTokenMask.select(entropies(parts), algorithm.forkingTokens(), random));
            double sum = 0;
            for (int i = 0; i < parts.size(); i++) {
                try (ForwardPass pass = choice.together()
                        ? passes.get(i)
                        : decoder.forward(parts.get(i).tokens(), choice.retention())) {
                    sum += backward(pass, parts.get(i));
                }
            }
            return sum;
        } finally {
            passes.forEach(ForwardPass::close);
        }
    }

    /** Runs forward and backward for each micro-batch in turn: its mask needs nothing of the others' passes. */
    private double oneByOne(List<MicroBatch> parts, RandomGenerator random) {
        ForkingTokens tokens = algorithm.forkingTokens();
        boolean marked = tokens.scope() == Scope.MiniBatch && tokens.entropyFrom() == EntropyFrom.Rollout;
        if (marked) {
            mark(parts, ForkingTokenMask.select(entropies(parts), tokens, random));
        }
        double sum = 0;
        for (MicroBatch part : parts) {
            try (ForwardPass pass = decoder.forward(
                    part.tokens(), recomputation.choose(part.tokens().padded()))) {
                part.take(pass.score(temperature));
                if (!marked) {
                    float[] entropies = entropies(List.of(part));
                    part.mark(
                            tokens.scope() == Scope.Sequence
                                    ? ForkingTokenMask.selectEach(entropies, part.lengths(), tokens, random)
                                    : ForkingTokenMask.select(entropies, tokens, random));
                }
                sum += backward(pass, part);
            }
        }
        return sum;
    }

    /** Entropies that select, of all tokens in order. */
    private float[] entropies(List<MicroBatch> parts) {
        boolean rollout = algorithm.forkingTokens().entropyFrom() == EntropyFrom.Rollout;
        return MicroBatch.concatenate(parts.stream()
                .map(part -> rollout ? part.rolloutEntropies() : part.entropies())
                .toList());
    }

    private static void mark(List<MicroBatch> parts, ForkingTokenMask mask) {
        int at = 0;
        for (MicroBatch part : parts) {
            part.mark(mask.slice(at, at + part.size()));
            at += part.size();
        }
    }

    private double backward(ForwardPass pass, MicroBatch part) {
        boolean[] kept = part.mask().kept();
        long[] positions = IntStream.range(0, kept.length)
                .filter(i -> kept[i])
                .asLongStream()
                .toArray();
        float[] old = part.oldLogProbabilities();
        float[] advantages = part.advantages();
        return pass.backward(
                positions,
                temperature,
                (chunk, logProbabilities, from, to) -> {
                    long[] here = Arrays.copyOfRange(positions, from, to);
                    return loss.of(chunk, logProbabilities, at(chunk, old, here), at(chunk, advantages, here));
                },
                gradients);
    }

    private static NDArray at(NDManager scope, float[] values, long[] positions) {
        float[] chosen = new float[positions.length];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = values[(int) positions[i]];
        }
        return scope.create(chosen);
    }
}
