package dev.rlvr.bench.scaling;

import dev.rlvr.crds.TrainerSpec.Sharding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * The time of a step by its parts:
 *
 * <pre>
 * step = sample + update + imbalance + exposed + verify + host + checkpoint
 * </pre>
 *
 * Lengths are drawn from a fixed seed for {@link #BATCHES} batches and dealt to the ranks as the code deals them; what the slowest rank takes longer
 * than the mean is imbalance. {@link Sampling}, {@link Operations}, {@link Traffic}, {@link Links} and {@link Memory} have the formulas of the parts.
 */
public record StepTimeModel(Job job, Hardware hardware, Design design, int ranks) {
    private static final int BATCHES = 4;
    private static final long SEED = 20_261_123;

    /** Of a token on its way: id, log-probability, entropy; and in front of each answer its verdict's name, flags and length. */
    private static final int ANSWER_TOKEN = 12;

    private static final int ANSWER_HEAD = 12;

    /** Bytes of answers that a rank receives in one round, as {@code SharedAnswers} has it. */
    private static final double ROUND = 256 << 20;

    /** Passes read and write so many bytes of each owned parameter in AdamW: weight and moments in and out, gradient in, and in again for the norm. */
    private static final int OPTIMIZER_BYTES = 32;

    /** What happens in one batch of answers. */
    private record Batch(
            double sample,
            double update,
            double imbalance,
            double exposed,
            double hidden,
            double tokens,
            int passes,
            List<String> limits,
            Set<String> missing) {}

    /** The mean over the batches. */
    public Result result() {
        Random random = new Random(SEED);
        List<Batch> batches = IntStream.range(0, BATCHES)
                .mapToObj(_ -> batch(job.lengths().draw(job.prompts(), job.answers(), random)))
                .toList();
        double tokens = mean(batches.stream().mapToDouble(Batch::tokens).toArray());
        double perRank = design.sharedReport() ? 1.0 / ranks : 1;
        double first = design.sharedReport() ? 0 : hardware.host().firstRank();
        List<String> limits = new ArrayList<>(batches.stream()
                .flatMap(batch -> batch.limits.stream())
                .distinct()
                .toList());
        List<String> missing = batches.stream()
                .flatMap(batch -> batch.missing.stream())
                .distinct()
                .toList();
        Result without = new Result(
                ranks,
                mean(batches.stream().mapToDouble(Batch::sample).toArray()),
                mean(batches.stream().mapToDouble(Batch::update).toArray()),
                mean(batches.stream().mapToDouble(Batch::imbalance).toArray()),
                mean(batches.stream().mapToDouble(Batch::exposed).toArray()),
                mean(batches.stream().mapToDouble(Batch::hidden).toArray()),
                job.verdict(),
                tokens * (hardware.host().everyRank() * perRank + first),
                0,
                tokens,
                memory().rows(),
                batches.stream().mapToInt(Batch::passes).max().orElseThrow(),
                missing,
                limits);
        return withCheckpoint(without);
    }

    /** Ranks that split the state among them. */
    private int sharing() {
        return job.sharding() == Sharding.Hybrid ? Math.min(ranks, hardware.ranksPerNode()) : ranks;
    }

    private Memory memory() {
        return new Memory(job, hardware, design, sharing());
    }

    /** Copy of {@code 12 P / n} bytes, and what the volume takes longer for {@code 12 P} than until the next: over the steps between them. */
    private Result withCheckpoint(Result result) {
        double bytes = 3.0 * Float.BYTES * job.model().parameters();
        double copy = bytes / ranks / hardware.hostCopy();
        double late = Math.max(0, bytes / hardware.disk() - job.checkpointEvery() * result.step());
        List<String> limits = new ArrayList<>(result.limits());
        if (late > 0) {
            limits.add("the volume is slower than the checkpoints");
        }
        return new Result(
                ranks,
                result.sample(),
                result.update(),
                result.imbalance(),
                result.exposed(),
                result.hidden(),
                result.verify(),
                result.host(),
                (copy + late) / job.checkpointEvery(),
                result.tokens(),
                result.rows(),
                result.passes(),
                result.missing(),
                limits);
    }

    private Batch batch(Lengths.Batch drawn) {
        int[] answers = drawn.answers();
        List<String> limits = new ArrayList<>();
        Links links = new Links(hardware, design, ranks);
        Traffic traffic = Traffic.of(
                job.model(), job.precision(), job.reducePrecision(), job.sharding(), ranks, hardware.ranksPerNode());
        List<int[]> shares = design.dealing().deal(drawn, Math.ceilDiv(ranks, design.samplers()));
        double[] sampling = sampling(shares);
        double sample = mean(sampling);
        double imbalance = max(sampling) - sample;
        double longest = shares.stream()
                        .mapToDouble(share -> ANSWER_TOKEN * sum(share) + ANSWER_HEAD * share.length)
                        .max()
                        .orElseThrow()
                / design.samplers();
        // sampling needs all layers at once
        double exposed = new Links(hardware, design, traffic.sharing())
                        .gather(traffic.swept(), 2 * job.model().layers())
                + links.tell(longest * ranks, Math.ceil(longest * ranks / ROUND));
        if (shares.stream().anyMatch(share -> share.length == 0)) {
            limits.add("ranks without an answer");
        }
        double update = 0;
        double hidden = 0;
        int passes = 0;
        Set<String> missing = new TreeSet<>();
        int size = job.miniBatchPrompts() * job.answers();
        for (int from = 0; from < answers.length; from += size) {
            MiniBatch miniBatch = new MiniBatch(
                    Arrays.copyOfRange(answers, from, Math.min(from + size, answers.length)), this, links, traffic);
            update += miniBatch.mean() + optimizer();
            imbalance += miniBatch.slowest() - miniBatch.mean();
            exposed += miniBatch.exposed();
            hidden += miniBatch.hidden();
            passes = Math.max(passes, miniBatch.passes());
            miniBatch.missing().ifPresent(missing::add);
        }
        return new Batch(sample, update, imbalance, exposed, hidden, sum(answers), passes, limits, missing);
    }

    private double[] sampling(List<int[]> shares) {
        Sampling sampling = new Sampling(job, hardware, design, Math.max(1, memory().rows()));
        return shares.stream().mapToDouble(sampling::seconds).toArray();
    }

    /** Bytes of AdamW, of zeroing gradients and of the copies in the precision of products, over the memory's bandwidth. */
    private double optimizer() {
        double all = job.model().parameters();
        double share = all / sharing();
        double bytes = switch (job.sharding()) {
            case None -> OPTIMIZER_BYTES * all + Float.BYTES * all + refreshed(all);
            case Optimizer -> OPTIMIZER_BYTES * share + Float.BYTES * all + refreshed(all);
            case Gradients -> OPTIMIZER_BYTES * share + Float.BYTES * share + refreshed(all);
            case Parameters, Hybrid -> OPTIMIZER_BYTES * share + Float.BYTES * share + refreshed(share);
        };
        return bytes / hardware.memoryBandwidth();
    }

    private double refreshed(double parameters) {
        return switch (job.precision()) {
            case F32 -> 0;
            case BF16 -> (Float.BYTES + job.precision().bytes()) * parameters;
        };
    }

    static double sum(int... values) {
        return Arrays.stream(values).asLongStream().sum();
    }

    static double mean(double... values) {
        return Arrays.stream(values).average().orElse(0);
    }

    static double max(double... values) {
        return Arrays.stream(values).max().orElse(0);
    }
}
