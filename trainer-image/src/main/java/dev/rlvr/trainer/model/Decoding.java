package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Answers that are being written together, one per row, with their keys and values cached. Rows come in cohorts and leave one by one; the matrix
 * products of a step are over all rows, attention is over each cohort's own columns.
 */
public final class Decoding implements AutoCloseable {
    /** A cohort is packed anew when fewer than this share of its rows is still being written. */
    private static final double PACK_BELOW = 0.8;

    private final Script script;
    private final WorkingWeights weights;
    private final RotaryTables rotary;
    private final NDManager scope;
    private final Drawing drawing;
    private final int longest;

    private final List<NDArray> packed;
    private final List<Cohort> cohorts = new ArrayList<>();
    private long[] ids = {};
    private long[] positions = {};

    /**
     * Tokens drawn, row by row.
     *
     * @param columns tokens per row
     * @param tokens {@code [rows, columns]}
     * @param logProbabilities in nats, at the temperature, over the full vocabulary, {@code [rows, columns]}
     * @param entropies in nats, at the temperature, over the full vocabulary, {@code [rows, columns]}
     */
    @SuppressWarnings("ArrayRecordComponent") // read once by the sampler, never compared
    public record Drawn(int columns, long[] tokens, float[] logProbabilities, float[] entropies) {}

    Decoding(
            Script script,
            WorkingWeights weights,
            RotaryTables rotary,
            NDManager owner,
            int rows,
            int longest,
            Drawing drawing) {
        this.script = script;
        this.weights = weights;
        this.rotary = rotary;
        this.scope = owner.newSubManager();
        this.drawing = drawing;
        this.longest = longest;
        this.packed = weights.packed(scope, script, rows);
    }

    /** Answers that are being written. */
    public int rows() {
        return ids.length;
    }

    /**
     * Adds rows, after those there are, for {@link #start} to begin.
     *
     * @param longestPrompt of the answers that they are for, in tokens
     */
    public void add(int rows, int longestPrompt) {
        cohorts.add(new Cohort(script, weights, rotary, scope, rows, longestPrompt));
        ids = Arrays.copyOf(ids, ids.length + rows);
        positions = Arrays.copyOf(positions, ids.length);
    }

    /**
     * Begins answers in rows added last, and draws their first tokens.
     *
     * @param firstRow row of the first; the others follow
     * @param sources the prompt of each
     * @param uniforms a number in [0, 1) for each
     */
    public Drawn start(int firstRow, PromptCache prompts, int[] sources, double[] uniforms) {
        Cohort cohort = cohorts.getLast();
        int within = firstRow - (rows() - cohort.rows());
        cohort.start(IntStream.range(within, within + sources.length).toArray(), prompts, sources);
        try (NDManager pass = scope.newSubManager()) {
            Drawn drawn = read(
                    script.tensors(
                            pass,
                            "first",
                            prompts.logits(),
                            pass.create(Cohort.longs(sources)),
                            pass.create(uniforms),
                            drawing.temperature(),
                            drawing.topP(),
                            drawing.topK()),
                    1);
            for (int i = 0; i < sources.length; i++) {
                ids[firstRow + i] = drawn.tokens()[i];
                positions[firstRow + i] = prompts.length(sources[i]);
            }
            return drawn;
        }
    }

    /**
     * Draws the next tokens of every row.
     *
     * @param columns tokens per row
     * @param uniforms numbers in [0, 1), {@code [rows, columns]} row by row
     */
    public Drawn advance(int columns, double[] uniforms) {
        cohorts.forEach(cohort -> cohort.reserve(columns, longest));
        try (NDManager pass = scope.newSubManager()) {
            Drawn drawn = read(
                    script.tensors(
                            pass,
                            "decode",
                            pass.create(ids),
                            weights.embedding(),
                            packed,
                            cohorts.stream().flatMap(c -> c.keys().stream()).toList(),
                            cohorts.stream().flatMap(c -> c.values().stream()).toList(),
                            cohorts.stream().map(Cohort::bias).toList(),
                            rotary.cos(),
                            rotary.sin(),
                            pass.create(positions),
                            ofCohorts(Cohort::column),
                            ofCohorts(Cohort::start),
                            pass.create(uniforms, new Shape(rows(), columns)),
                            drawing.temperature(),
                            drawing.topP(),
                            drawing.topK()),
                    columns);
            for (int row = 0; row < rows(); row++) {
                ids[row] = drawn.tokens()[(row + 1) * columns - 1];
                positions[row] += columns;
            }
            cohorts.forEach(cohort -> cohort.advance(columns));
            return drawn;
        }
    }

    private long[] ofCohorts(ToIntFunction<Cohort> figure) {
        return cohorts.stream().mapToInt(figure).asLongStream().toArray();
    }

    /**
     * Leaves out finished rows of cohorts where they are many enough to be worth a copy of the caches.
     *
     * @param open for each row whether it is still being written
     * @return the rows that remain, in order
     */
    public int[] pack(boolean[] open) {
        IntStream.Builder remaining = IntStream.builder();
        int from = 0;
        for (Cohort cohort : List.copyOf(cohorts)) {
            int first = from;
            int[] kept = IntStream.range(0, cohort.rows())
                    .filter(row -> open[first + row])
                    .toArray();
            from += cohort.rows();
            if (kept.length == 0) {
                cohort.close();
                cohorts.remove(cohort);
                continue;
            }
            if (kept.length < PACK_BELOW * cohort.rows()) {
                cohort.keep(kept);
            } else {
                kept = IntStream.range(0, cohort.rows()).toArray();
            }
            Arrays.stream(kept).forEach(row -> remaining.add(first + row));
        }
        int[] rows = remaining.build().toArray();
        ids = Arrays.stream(rows).mapToLong(row -> ids[row]).toArray();
        positions = Arrays.stream(rows).mapToLong(row -> positions[row]).toArray();
        return rows;
    }

    private static Drawn read(List<NDArray> drawn, int columns) {
        return new Drawn(
                columns,
                drawn.get(0).toLongArray(),
                drawn.get(1).toFloatArray(),
                drawn.get(2).toFloatArray());
    }

    @Override
    public void close() {
        scope.close();
    }
}
