package dev.rlvr.bench.scaling;

import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How much of the time that ranks sample for they wait for the slowest of them: {@code 1 - mean / slowest}, simulated. Nothing but the lengths
 * makes a rank slow.
 *
 * @param name for people
 * @param rows answers that a rank writes at a time, at most
 */
public record Idling(String name, Job job, Hardware hardware, int rows) {
    private static final int BATCHES = 16;
    private static final long SEED = 20_261_126;

    /**
     * Means over some batches.
     *
     * @param idle share of the slowest rank's time that a rank, on average, has nothing to do
     * @param slowest seconds of the slowest rank
     */
    record Waiting(double idle, double slowest) {}

    Waiting of(Dealing dealing, int ranks) {
        Random random = new Random(SEED);
        Sampling sampling = new Sampling(job, hardware, Design.TODAY, rows);
        List<Waiting> batches = IntStream.range(0, BATCHES)
                .mapToObj(_ -> job.lengths().draw(job.prompts(), job.answers(), random))
                .map(batch -> dealing.deal(batch, ranks).stream()
                        .mapToDouble(sampling::seconds)
                        .toArray())
                .map(seconds -> new Waiting(
                        1 - StepTimeModel.mean(seconds) / StepTimeModel.max(seconds), StepTimeModel.max(seconds)))
                .toList();
        return new Waiting(
                StepTimeModel.mean(batches.stream().mapToDouble(Waiting::idle).toArray()),
                StepTimeModel.mean(
                        batches.stream().mapToDouble(Waiting::slowest).toArray()));
    }

    /** All ways to deal, for several numbers of ranks, as Markdown: how much is idle, and the slowest rank's time over that if lengths were known. */
    public static String table(List<Idling> mixes, List<Integer> ranks) {
        StringBuilder table = new StringBuilder("| answers | dealt |");
        ranks.forEach(n -> table.append(" %d ranks |".formatted(n)));
        table.append("\n|---|---|").append("--:|".repeat(ranks.size())).append('\n');
        for (Idling mix : mixes) {
            List<Double> best = ranks.stream()
                    .map(n -> mix.of(Dealing.BY_LENGTH, n).slowest())
                    .toList();
            for (Dealing dealing : Dealing.values()) {
                table.append("| %s | %s |".formatted(mix.name, words(dealing)));
                for (int i = 0; i < ranks.size(); i++) {
                    Waiting waiting = mix.of(dealing, ranks.get(i));
                    table.append(String.format(
                            Locale.ROOT, " %.1f %% (%.2f) |", 100 * waiting.idle(), waiting.slowest() / best.get(i)));
                }
                table.append('\n');
            }
        }
        return table.toString();
    }

    private static String words(Dealing dealing) {
        return switch (dealing) {
            case PROMPTS_IN_TURN -> "whole prompts in turn";
            case ANSWERS_IN_TURN -> "first epoch";
            case BY_EXPECTED_LENGTH -> "later";
            case BY_LENGTH -> "if lengths were known";
        };
    }
}
