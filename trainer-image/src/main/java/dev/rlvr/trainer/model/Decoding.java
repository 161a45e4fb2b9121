package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Answers that are being written, with their keys and values cached. A prompt is read once for all of its answers. Prompts are padded on the
 * right; answers start in the column after the longest prompt, and a bias hides the padding between.
 */
public final class Decoding implements AutoCloseable {
    private static final int FIRST_COLUMNS = 64;

    private final Script script;
    private final WorkingWeights weights;
    private final RotaryTables rotary;
    private final NDManager scope;
    private final double temperature;

    private final Drawn first;
    private List<NDArray> keys;
    private List<NDArray> values;
    private NDArray bias;
    private NDArray ids;
    private NDArray positions;
    private int column;
    private int capacity;

    /**
     * Tokens drawn for every row, row by row.
     *
     * @param columns tokens per row
     * @param tokens {@code [rows, columns]}
     * @param logProbabilities in nats, at the temperature, {@code [rows, columns]}
     * @param entropies in nats, at the temperature, over the full vocabulary, {@code [rows, columns]}
     */
    @SuppressWarnings("ArrayRecordComponent") // read once by the sampler, never compared
    public record Drawn(int columns, long[] tokens, float[] logProbabilities, float[] entropies) {}

    Decoding(
            Script script,
            WorkingWeights weights,
            RotaryTables rotary,
            NDManager owner,
            List<List<Integer>> prompts,
            int repeats,
            double[] uniforms,
            double temperature) {
        this.script = script;
        this.weights = weights;
        this.rotary = rotary;
        this.scope = owner.newSubManager();
        this.temperature = temperature;
        this.column = prompts.stream().mapToInt(List::size).max().orElseThrow();
        this.capacity = column + FIRST_COLUMNS;
        this.keys = new ArrayList<>();
        this.values = new ArrayList<>();
        this.positions = scope.create(lengths(prompts, repeats));
        this.bias = scope.create(padding(prompts, repeats), new Shape((long) prompts.size() * repeats, 1, 1, capacity));
        List<NDArray> drawn = prefill(prompts, repeats, uniforms);
        this.ids = drawn.getFirst();
        this.first = read(drawn, 1);
    }

    private List<NDArray> prefill(List<List<Integer>> prompts, int repeats, double[] uniforms) {
        try (NDManager pass = scope.newSubManager()) {
            RotaryTables tables = rotary.first(pass, column);
            NDArray x = script.tensor(pass, "embed", weights.embedding(), pass.create(promptIds(prompts)));
            for (int layer = 0; layer < weights.layers(); layer++) {
                List<NDArray> out = script.tensors(
                        pass,
                        "prefill_layer",
                        x,
                        weights.layer(layer),
                        tables.cos(),
                        tables.sin(),
                        prompts.size(),
                        column);
                x = out.get(0);
                keys.add(script.tensor(scope, "new_cache", out.get(1), repeats, capacity));
                values.add(script.tensor(scope, "new_cache", out.get(2), repeats, capacity));
            }
            return script.tensors(
                    scope,
                    "first",
                    x,
                    weights.finalNorm(),
                    weights.head(),
                    pass.create(lastPositions(prompts)),
                    repeats,
                    pass.create(uniforms),
                    temperature);
        }
    }

    /** The first token of every row. */
    public Drawn first() {
        return first;
    }

    /** Rows that are being decoded. */
    public int rows() {
        return Math.toIntExact(positions.size());
    }

    /**
     * Draws the next tokens of every row.
     *
     * @param columns tokens per row
     * @param uniforms numbers in [0, 1), {@code [rows, columns]} row by row
     */
    public Drawn advance(int columns, double[] uniforms) {
        reserve(column + columns);
        try (NDManager pass = scope.newSubManager()) {
            List<NDArray> drawn = script.tensors(
                    pass,
                    "decode",
                    ids,
                    weights.embedding(),
                    weights.all(),
                    keys,
                    values,
                    bias,
                    rotary.cos(),
                    rotary.sin(),
                    positions,
                    column,
                    pass.create(uniforms, new Shape(rows(), columns)),
                    temperature);
            Drawn result = read(drawn, columns);
            NDArray next = scope.create(lastColumn(result));
            ids.close();
            ids = next;
            NDArray moved = positions.add(columns);
            moved.attach(scope);
            positions.close();
            positions = moved;
            column += columns;
            return result;
        }
    }

    /** Goes on with these rows only, in this order. */
    public void keep(int[] rows) {
        try (NDManager pass = scope.newSubManager()) {
            NDArray index = pass.create(Arrays.stream(rows).asLongStream().toArray());
            keys = replace(keys, script.tensors(scope, "select_rows", keys, index));
            values = replace(values, script.tensors(scope, "select_rows", values, index));
            List<NDArray> state = List.of(bias, ids, positions);
            List<NDArray> kept = replace(state, script.tensors(scope, "select_rows", state, index));
            bias = kept.get(0);
            ids = kept.get(1);
            positions = kept.get(2);
        }
    }

    private void reserve(int columns) {
        if (columns <= capacity) {
            return;
        }
        capacity = Math.max(columns, capacity + capacity / 2);
        keys = replace(
                keys,
                keys.stream()
                        .map(k -> script.tensor(scope, "widen", k, capacity))
                        .toList());
        values = replace(
                values,
                values.stream()
                        .map(v -> script.tensor(scope, "widen", v, capacity))
                        .toList());
        bias = replace(List.of(bias), List.of(script.tensor(scope, "widen_bias", bias, capacity)))
                .getFirst();
    }

    private static List<NDArray> replace(List<NDArray> old, List<NDArray> replacement) {
        old.forEach(NDArray::close);
        return replacement;
    }

    private static Drawn read(List<NDArray> drawn, int columns) {
        return new Drawn(
                columns,
                drawn.get(0).toLongArray(),
                drawn.get(1).toFloatArray(),
                drawn.get(2).toFloatArray());
    }

    private static long[] lastColumn(Drawn drawn) {
        long[] ids = new long[drawn.tokens().length / drawn.columns()];
        for (int row = 0; row < ids.length; row++) {
            ids[row] = drawn.tokens()[(row + 1) * drawn.columns() - 1];
        }
        return ids;
    }

    private long[] promptIds(List<List<Integer>> prompts) {
        long[] flat = new long[prompts.size() * column];
        for (int p = 0; p < prompts.size(); p++) {
            for (int t = 0; t < prompts.get(p).size(); t++) {
                flat[p * column + t] = prompts.get(p).get(t);
            }
        }
        return flat;
    }

    private long[] lastPositions(List<List<Integer>> prompts) {
        long[] last = new long[prompts.size()];
        for (int p = 0; p < last.length; p++) {
            last[p] = (long) p * column + prompts.get(p).size() - 1;
        }
        return last;
    }

    private static long[] lengths(List<List<Integer>> prompts, int repeats) {
        return prompts.stream()
                .flatMapToLong(prompt ->
                        java.util.stream.LongStream.generate(prompt::size).limit(repeats))
                .toArray();
    }

    private float[] padding(List<List<Integer>> prompts, int repeats) {
        float[] hidden = new float[prompts.size() * repeats * capacity];
        for (int row = 0; row < prompts.size() * repeats; row++) {
            int from = row * capacity + prompts.get(row / repeats).size();
            Arrays.fill(hidden, from, row * capacity + column, Float.NEGATIVE_INFINITY);
        }
        return hidden;
    }

    @Override
    public void close() {
        scope.close();
    }
}
