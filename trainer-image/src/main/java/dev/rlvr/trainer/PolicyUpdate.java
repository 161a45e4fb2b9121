package dev.rlvr.trainer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Denominator;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.EntropyFrom;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Scope;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Select;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.GradientSums;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Pass;
import dev.rlvr.trainer.model.Retention;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.objective.ForkingTokenMask;
import dev.rlvr.trainer.objective.PolicyLoss;
import dev.rlvr.trainer.objective.RatioStatistics;
import dev.rlvr.trainer.objective.TruncatedImportance;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.rollout.Group;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.sharding.ShardedState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * One gradient step on a mini-batch: score all its tokens, take the forking tokens among them, go backward from these. The denominator,
 * and with scope MiniBatch the mask, are those of the whole mini-batch, so the result does not depend on how it is cut into micro-batches, nor on
 * how many ranks share these.
 */
final class PolicyUpdate {
    private final Decoder decoder;
    private final ShardedState state;
    private final AdamW optimizer;
    private final PolicyLoss loss;
    private final Collectives group;
    private final AlgorithmSpec algorithm;
    private final double temperature;
    private final int microBatchTokens;
    private final RecomputationPlan recomputation;
    private final SharedPrompts sharedPrompts;

    PolicyUpdate(
            Decoder decoder,
            ShardedState state,
            AdamW optimizer,
            PolicyLoss loss,
            Collectives group,
            RLVRJobSpec spec,
            RecomputationPlan recomputation) {
        this.decoder = decoder;
        this.state = state;
        this.optimizer = optimizer;
        this.loss = loss;
        this.group = group;
        this.algorithm = spec.algorithm();
        this.temperature = spec.rollout().temperature();
        this.microBatchTokens = spec.trainer().microBatchTokens();
        this.recomputation = recomputation;
        this.sharedPrompts = SharedPrompts.of(decoder.weights().config(), microBatchTokens);
    }

    /**
     * An answer and what the update needs of it; arrays have one entry per token.
     *
     * @param old log-probabilities under the policy that ratios are taken against, nats: the one that sampled, or where that is an older one
     *     the policy before the step's first update
     * @param weights of the tokens in the loss: 1, or the truncated importance of a stale answer
     * @param kept filled in by the update
     */
    @SuppressWarnings("ArrayRecordComponent") // plain columns of numbers, set once
    record Item(List<Integer> prompt, Sample sample, double advantage, float[] old, float[] weights, boolean[] kept) {
        /** The answers of a group. */
        static List<Item> of(Group group) {
            return IntStream.range(0, group.samples().size())
                    .mapToObj(i -> onPolicy(
                            group.prompt(),
                            group.samples().get(i),
                            group.advantages().get(i)))
                    .toList();
        }

        static Item onPolicy(List<Integer> prompt, Sample sample, double advantage) {
            float[] ones = new float[sample.length()];
            Arrays.fill(ones, 1);
            return new Item(prompt, sample, advantage, sample.logProbabilities(), ones, new boolean[sample.length()]);
        }

        /** The same, sampled by an older policy than the one with these log-probabilities. */
        Item stale(float[] current, double mostImportance) {
            return new Item(
                    prompt,
                    sample,
                    advantage,
                    current,
                    TruncatedImportance.of(current, sample.logProbabilities(), mostImportance),
                    kept);
        }

        TokenBatch.Row row() {
            return new TokenBatch.Row(
                    prompt, Arrays.stream(sample.tokens()).boxed().toList());
        }
    }

    /** Figures of one gradient step. */
    record Result(double loss, double gradientNorm, double threshold, int kept, RatioStatistics statistics) {}

    /**
     * Log-probabilities of answers under the current policy, by one pass without gradients; all ranks call it with the same answers.
     *
     * @return for each answer one per token, nats
     */
    List<float[]> score(List<Item> answers) {
        List<List<MicroBatch>> hands = deal(answers);
        List<MicroBatch> mine = hands.get(group.rank());
        for (int i = 0; i < passes(hands); i++) {
            try (Pass pass = pass(mine, i, Retention.NOTHING)) {
                if (i < mine.size()) {
                    mine.get(i).take(pass.score(temperature));
                }
            }
        }
        TokenExchange tokens = new TokenExchange(group, answers, hands, algorithm.forkingTokens());
        float[] all =
                tokens.inOrder(mine.stream().map(MicroBatch::logProbabilities).toList());
        List<float[]> each = new ArrayList<>();
        int at = 0;
        for (Item answer : answers) {
            int length = answer.sample().length();
            each.add(Arrays.copyOfRange(all, at, at + length));
            at += length;
        }
        return each;
    }

    private List<List<MicroBatch>> deal(List<Item> answers) {
        return MicroBatch.deal(sharedPrompts.pack(answers, group.size()), group.size(), microBatchTokens);
    }

    /** Passes that every rank makes: as many as the fullest has micro-batches. */
    private static int passes(List<List<MicroBatch>> hands) {
        return hands.stream().mapToInt(List::size).max().orElse(0);
    }

    /** Makes the step; all ranks call it with the same answers, and each computes its share of them. */
    Result apply(List<Item> miniBatch, double learningRate, RandomGenerator random) {
        List<List<MicroBatch>> hands = deal(miniBatch);
        List<MicroBatch> mine = hands.get(group.rank());
        TokenExchange tokens = new TokenExchange(group, miniBatch, hands, algorithm.forkingTokens());
        ForkingTokenMask mask;
        double sum;
        if (sharesOneThreshold()) {
            Turn turn = together(hands, tokens, random);
            mask = turn.mask;
            sum = turn.sum;
        } else {
            sum = oneByOne(mine, passes(hands), tokens, random);
            mask = tokens.joined(mine);
        }
        int denominator =
                algorithm.forkingTokens().denominator() == Denominator.Kept ? mask.count() : mask.kept().length;
        double norm = 0;
        ModelTensors gradients = state.reduce();
        if (mask.count() > 0) {
            norm = optimizer.step(gradients, state.norm(optimizer.norm(gradients)), denominator, learningRate);
        }
        state.publish();
        decoder.refresh();
        RatioStatistics statistics = tokens.sum(mine.stream()
                .map(part -> part.statistics(algorithm.clip()))
                .reduce(RatioStatistics.NONE, RatioStatistics::plus));
        return new Result(
                group.sum(sum)[0] / Math.max(1, denominator), norm, mask.threshold(), mask.count(), statistics);
    }

    /** The sum of the losses of this rank's tokens, and the mask over those of all. */
    private record Turn(double sum, ForkingTokenMask mask) {}

    /** Whether no micro-batch can go backward before all have been scored. */
    private boolean sharesOneThreshold() {
        ForkingTokens tokens = algorithm.forkingTokens();
        return tokens.scope() == Scope.MiniBatch
                && tokens.entropyFrom() == EntropyFrom.Current
                && tokens.select() != Select.All
                && tokens.entropyThreshold() == null;
    }

    /** Scores all micro-batches, takes the mask over those of all ranks, then runs backward for each. */
    private Turn together(List<List<MicroBatch>> hands, TokenExchange tokens, RandomGenerator random) {
        List<MicroBatch> mine = hands.get(group.rank());
        int count = passes(hands);
        RecomputationPlan.Choice choice = choice(hands);
        List<Pass> passes = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                Retention retention = choice.together() ? choice.retention() : Retention.NOTHING;
                passes.add(pass(mine, i, retention));
                if (i < mine.size()) {
                    mine.get(i).take(passes.getLast().score(temperature));
                }
                if (!choice.together()) {
                    passes.getLast().close();
                }
            }
            float[] entropies =
                    tokens.inOrder(mine.stream().map(MicroBatch::entropies).toList());
            ForkingTokenMask mask = ForkingTokenMask.select(entropies, algorithm.forkingTokens(), random);
            tokens.mark(mine, mask);
            double sum = 0;
            for (int i = 0; i < count; i++) {
                try (Pass pass = choice.together() ? passes.get(i) : pass(mine, i, choice.retention())) {
                    sum += backward(pass, mine, i, i == count - 1);
                }
            }
            return new Turn(sum, mask);
        } finally {
            passes.forEach(Pass::close);
        }
    }

    /** All ranks take the same way: the one that fits the fullest. */
    private RecomputationPlan.Choice choice(List<List<MicroBatch>> hands) {
        long most = 0;
        long largest = 0;
        for (List<MicroBatch> hand : hands) {
            most = Math.max(
                    most,
                    hand.stream().mapToLong(part -> part.tokens().padded()).sum());
            largest = Math.max(
                    largest,
                    hand.stream()
                            .mapToLong(part -> part.tokens().padded())
                            .max()
                            .orElse(0));
        }
        return recomputation.choose(most, largest);
    }

    /** The pass of this rank's i-th micro-batch, or of none where only other ranks have so many. */
    private Pass pass(List<MicroBatch> mine, int i, Retention retention) {
        return i < mine.size() ? decoder.forward(mine.get(i).tokens(), retention) : decoder.idle();
    }

    /** Runs forward and backward for each micro-batch in turn: its mask needs nothing of the others' passes. */
    private double oneByOne(List<MicroBatch> mine, int count, TokenExchange tokens, RandomGenerator random) {
        ForkingTokens settings = algorithm.forkingTokens();
        boolean marked = settings.scope() == Scope.MiniBatch && settings.entropyFrom() == EntropyFrom.Rollout;
        if (marked) {
            float[] entropies = tokens.inOrder(
                    mine.stream().map(MicroBatch::rolloutEntropies).toList());
            tokens.mark(mine, ForkingTokenMask.select(entropies, settings, random));
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            Retention retention =
                    i < mine.size() ? recomputation.choose(mine.get(i).tokens().padded()) : Retention.NOTHING;
            try (Pass pass = pass(mine, i, retention)) {
                if (i < mine.size()) {
                    MicroBatch part = mine.get(i);
                    part.take(pass.score(temperature));
                    if (!marked) {
                        float[] entropies = entropies(part);
                        part.mark(
                                settings.scope() == Scope.Sequence
                                        ? ForkingTokenMask.selectEach(entropies, part.lengths(), settings, random)
                                        : ForkingTokenMask.select(entropies, settings, random));
                    }
                }
                sum += backward(pass, mine, i, i == count - 1);
            }
        }
        return sum;
    }

    /** Entropies that select. */
    private float[] entropies(MicroBatch part) {
        boolean rollout = algorithm.forkingTokens().entropyFrom() == EntropyFrom.Rollout;
        return rollout ? part.rolloutEntropies() : part.entropies();
    }

    private double backward(Pass pass, List<MicroBatch> mine, int number, boolean last) {
        GradientSums sums = state.sums(last);
        if (number >= mine.size()) {
            return pass.backward(
                    new long[0], temperature, (scope, logProbabilities, from, to) -> logProbabilities, sums);
        }
        MicroBatch part = mine.get(number);
        boolean[] kept = part.mask().kept();
        long[] positions = IntStream.range(0, kept.length)
                .filter(i -> kept[i])
                .asLongStream()
                .toArray();
        float[] old = part.oldLogProbabilities();
        float[] advantages = part.weightedAdvantages();
        return pass.backward(
                positions,
                temperature,
                (chunk, logProbabilities, from, to) -> {
                    long[] here = Arrays.copyOfRange(positions, from, to);
                    return loss.of(chunk, logProbabilities, at(chunk, old, here), at(chunk, advantages, here));
                },
                sums);
    }

    private static NDArray at(NDManager scope, float[] values, long[] positions) {
        float[] chosen = new float[positions.length];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = values[(int) positions[i]];
        }
        return scope.create(chosen);
    }
}
