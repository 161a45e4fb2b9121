package dev.rlvr.trainer;

import dev.rlvr.trainer.objective.RatioStatistics;
import dev.rlvr.trainer.report.RolloutFile;
import dev.rlvr.trainer.report.StepMetrics;
import dev.rlvr.trainer.reward.Verdict;
import dev.rlvr.trainer.rollout.Group;
import dev.rlvr.trainer.rollout.RolloutPipeline;
import dev.rlvr.trainer.rollout.Rollouts;
import dev.rlvr.trainer.rollout.Sample;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Gathers the figures of one step while it goes on. */
final class StepSummary {
    /** Divergence in nats up to which sampler and trainer agree, BF16 included. */
    private static final double EXPLAINED_BY_ROUNDING = 1e-3;

    private final Rollouts.Batch batch;
    private final int policy;
    private final int staleness;
    private final Function<int[], List<String>> pieces;
    private final IdentityHashMap<Group, List<PolicyUpdate.Item>> itemsOf = new IdentityHashMap<>();
    private final List<PolicyUpdate.Result> results = new ArrayList<>();

    /**
     * A summary of a step.
     *
     * @param step finished steps of the policy that is updated
     * @param pieces gives the text of each token id
     */
    StepSummary(RolloutPipeline.Batch sampled, int step, Function<int[], List<String>> pieces) {
        this.batch = sampled.rollouts();
        this.policy = sampled.policy();
        this.staleness = step - policy;
        this.pieces = pieces;
    }

    /** What only the loop knows: finished steps, time of the whole step, of its updates and of checkpoints since the last step. */
    record Times(
            int step,
            double learningRate,
            long generatedTokens,
            Duration total,
            Duration update,
            Duration checkpoint) {}

    /** The answers of some groups, ready for the update. */
    List<PolicyUpdate.Item> items(List<Group> groups) {
        return groups.stream()
                .flatMap(group -> itemsOf.computeIfAbsent(group, PolicyUpdate.Item::of).stream())
                .toList();
    }

    /**
     * Corrects stale answers by truncated importance sampling; does nothing where the policy has not changed since they were sampled.
     *
     * @param score gives the log-probabilities of answers under the policy before this step's updates
     * @param mostImportance bound of a token's weight
     */
    void correct(Function<List<PolicyUpdate.Item>, List<float[]>> score, double mostImportance) {
        if (staleness == 0) {
            return;
        }
        List<PolicyUpdate.Item> stale = items(batch.used());
        List<float[]> current = score.apply(stale);
        Iterator<float[]> next = current.iterator();
        for (Group group : batch.used()) {
            itemsOf.computeIfPresent(
                    group,
                    (_, items) -> items.stream()
                            .map(item -> item.stale(next.next(), mostImportance))
                            .toList());
        }
    }

    /**
     * Has answers of each group scored by the policy that they should be from.
     *
     * @param score gives the log-probabilities of answers under the policy before this step's updates
     * @throws InputException if they are from another
     */
    void verify(Function<List<PolicyUpdate.Item>, List<float[]>> score, Agreement agreement) {
        List<PolicyUpdate.Item> one = batch.used().stream()
                .map(group -> items(List.of(group)).getFirst())
                .toList();
        agreement.require(policy, one, score.apply(one));
    }

    void add(PolicyUpdate.Result result) {
        results.add(result);
    }

    /** Tokens of all answers that were sampled. */
    long generatedTokens() {
        return batch.all().stream()
                .flatMap(group -> group.samples().stream())
                .mapToLong(Sample::length)
                .sum();
    }

    /** Before any update: where the policy itself has sampled, its difference to itself is that of sampler and trainer. */
    private Optional<RatioStatistics> firstMiniBatch() {
        return staleness > 0 ? Optional.empty() : results.stream().findFirst().map(PolicyUpdate.Result::statistics);
    }

    /** The divergence between sampler and trainer in nats, where it is more than rounding explains. */
    OptionalDouble disagreement() {
        double kl = firstMiniBatch().map(first -> first.mean(first.kl())).orElse(0.0);
        return kl > EXPLAINED_BY_ROUNDING ? OptionalDouble.of(kl) : OptionalDouble.empty();
    }

    StepMetrics metrics(Times times) {
        List<Sample> samples =
                batch.all().stream().flatMap(group -> group.samples().stream()).toList();
        List<Verdict> verdicts =
                batch.all().stream().flatMap(group -> group.verdicts().stream()).toList();
        RatioStatistics ratios = results.stream()
                .map(PolicyUpdate.Result::statistics)
                .reduce(RatioStatistics.NONE, RatioStatistics::plus);
        long kept = results.stream().mapToLong(PolicyUpdate.Result::kept).sum();
        double seconds = seconds(times.total());
        return new StepMetrics(
                times.step(),
                mean(results, PolicyUpdate.Result::loss),
                mean(verdicts, Verdict::reward),
                mean(batch.all(), StepSummary::rewardDeviation),
                mean(verdicts, verdict -> verdict == Verdict.TimedOut ? 1 : 0),
                results.isEmpty() ? Double.NaN : ratios.mean(ratios.entropy()),
                mean(results, PolicyUpdate.Result::threshold),
                results.isEmpty() ? Double.NaN : ratios.mean((double) kept),
                mean(samples, Sample::length),
                mean(samples, sample -> sample.ended() ? 0 : 1),
                ratios.mean((double) ratios.clippedLow()),
                ratios.mean((double) ratios.clippedHigh()),
                ratios.mean(ratios.kl()),
                firstMiniBatch().map(first -> first.mean(first.difference())).orElse(Double.NaN),
                staleness,
                importance(),
                mean(results, PolicyUpdate.Result::gradientNorm),
                times.learningRate(),
                times.generatedTokens(),
                generatedTokens() / Math.max(seconds, 1e-9),
                seconds,
                seconds(batch.sampling()),
                seconds(batch.verifying()),
                seconds(batch.waiting()),
                seconds(times.update()),
                seconds(times.checkpoint()));
    }

    /** Mean weight of the tokens that the policy was updated on. */
    private double importance() {
        return itemsOf.values().stream()
                .flatMap(List::stream)
                .flatMapToDouble(
                        item -> IntStream.range(0, item.weights().length).mapToDouble(i -> item.weights()[i]))
                .average()
                .orElse(Double.NaN);
    }

    /** The lines of the rollout file. */
    List<RolloutFile.Sample> samples() {
        List<RolloutFile.Sample> lines = new ArrayList<>();
        for (Group group : batch.all()) {
            List<PolicyUpdate.Item> items = itemsOf.getOrDefault(group, List.of());
            for (int i = 0; i < group.samples().size(); i++) {
                Sample sample = group.samples().get(i);
                lines.add(new RolloutFile.Sample(
                        group.problem().prompt(),
                        group.problem().answer(),
                        group.responses().get(i),
                        sample.tokens(),
                        pieces.apply(sample.tokens()),
                        sample.logProbabilities(),
                        sample.entropies(),
                        policy,
                        group.rewards().get(i),
                        group.advantages().get(i),
                        items.isEmpty()
                                ? new boolean[sample.length()]
                                : items.get(i).kept()));
            }
        }
        return lines;
    }

    private static double rewardDeviation(Group group) {
        double mean = mean(group.rewards(), reward -> reward);
        double squares = group.rewards().stream()
                .mapToDouble(r -> (r - mean) * (r - mean))
                .sum();
        return Math.sqrt(squares / (group.rewards().size() - 1));
    }

    private static <T> double mean(List<T> values, ToDoubleFunction<T> of) {
        return values.stream().mapToDouble(of).average().orElse(Double.NaN);
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
