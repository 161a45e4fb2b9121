package dev.rlvr.bench.scaling;

import dev.rlvr.trainer.model.MemoryNeed;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * Seconds that a rank writes answers for. One column, a token for each of {@code R} rows whose contexts have {@code C} tokens together, takes
 * {@code max(2 M R / flops, w M / bandwidth) + (c C + 12 V R) / bandwidth + L launch}, for {@code M} scalars in the matrices, {@code w} bytes each,
 * {@code c} bytes of keys and values per token and {@code V} words. Where {@code t} ranks hold one copy, all but the launch is divided by {@code t},
 * and each layer has two sums over the ranks of {@code D R} scalars: {@code 4 (t - 1) / t w D R / u + 4 (t - 1) latency}.
 */
record Sampling(Job job, Hardware hardware, Design design, int rows) {
    /** Waiting answers begin when this share of the rows is free, as in {@code Sampler}. */
    private static final double BEGIN_AT = 0.25;

    /** F32 figures per word: logits, their exponentials, and what is drawn from. */
    private static final int FIGURES_PER_WORD = 3;

    private double fixed(int open) {
        double matrices = new Operations(job.model()).decoder();
        double products = Math.max(
                2 * matrices * open / hardware.flops(),
                job.precision().bytes() * matrices / hardware.memoryBandwidth());
        double logits = (double) FIGURES_PER_WORD * Float.BYTES * job.model().vocabulary() * open;
        return (products + logits / hardware.memoryBandwidth()) / design.samplers()
                + job.model().layers() * (hardware.launch() + sums(open));
    }

    private double sums(int open) {
        int samplers = design.samplers();
        double bytes = (double) job.precision().bytes() * job.model().hidden() * open;
        return 4 * ((samplers - 1.0) / samplers * bytes / hardware.withinNode() + (samplers - 1) * hardware.latency());
    }

    private double perContextToken() {
        return new MemoryNeed(job.model(), job.precision()).cache() / hardware.memoryBandwidth() / design.samplers();
    }

    /** All answers of a rank, in the order they are begun in; the rows are refilled as the sampler does. */
    double seconds(int[] answers) {
        if (answers.length == 0) {
            return 0;
        }
        int together = Math.min(rows, answers.length);
        ArrayDeque<Integer> waiting =
                new ArrayDeque<>(Arrays.stream(answers).boxed().toList());
        PriorityQueue<Row> open = new PriorityQueue<>(Comparator.comparingLong(Row::end));
        double seconds = prompts(answers.length);
        double context = 0;
        long column = 0;
        while (!waiting.isEmpty() || !open.isEmpty()) {
            int free = together - open.size();
            if (open.isEmpty() || free >= BEGIN_AT * together) {
                for (; free > 0 && !waiting.isEmpty(); free--) {
                    open.add(new Row(column, column + waiting.remove()));
                    context += job.promptTokens();
                }
            }
            long columns = open.element().end - column;
            int count = open.size();
            seconds += columns * fixed(count)
                    + perContextToken() * (columns * context + count * (double) columns * columns / 2);
            context += (double) count * columns;
            column += columns;
            while (!open.isEmpty() && open.element().end == column) {
                Row ended = open.remove();
                context -= job.promptTokens() + ended.end - ended.begin;
            }
        }
        return seconds;
    }

    /** An answer by the columns it is written in. */
    private record Row(long begin, long end) {}

    private double prompts(int answers) {
        double tokens = Math.ceil((double) answers / job.answers()) * job.promptTokens();
        return hardware.seconds(new Operations(job.model()).forward(tokens, job.promptTokens())) / design.samplers();
    }
}
