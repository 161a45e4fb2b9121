package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows that began together: their keys and values, and the column that they write next. Prompts end where answers begin. */
final class Cohort implements AutoCloseable {
    /** Columns made room for at first, beyond the prompts. */
    private static final int SPARE_COLUMNS = 64;

    private final Script script;
    private final NDManager scope;
    private final List<NDArray> keys;
    private final List<NDArray> values;
    private NDArray bias;
    private int rows;
    private int start;
    private int column;
    private int capacity;

    Cohort(Script script, WorkingWeights weights, RotaryTables rotary, NDManager owner, int rows, int longestPrompt) {
        this.script = script;
        this.scope = owner.newSubManager();
        this.rows = rows;
        this.start = longestPrompt;
        this.column = longestPrompt;
        this.capacity = blocks(longestPrompt + SPARE_COLUMNS);
        NDArray likeKeys = weights.layer(0).get(1);
        keys = new ArrayList<>(script.tensors(scope, "new_caches", likeKeys, weights.layers(), rows, capacity));
        values = new ArrayList<>(script.tensors(scope, "new_caches", likeKeys, weights.layers(), rows, capacity));
        bias = script.tensor(scope, "new_bias", rotary.cos(), rows, capacity);
    }

    private static int blocks(int columns) {
        return Math.ceilDiv(columns, DecodeScript.BLOCK) * DecodeScript.BLOCK;
    }

    int rows() {
        return rows;
    }

    /** The first column that a row uses. */
    int start() {
        return start;
    }

    /** The column of the tokens drawn last. */
    int column() {
        return column;
    }

    List<NDArray> keys() {
        return keys;
    }

    List<NDArray> values() {
        return values;
    }

    NDArray bias() {
        return bias;
    }

    /** Gives rows, counted within the cohort, their prompts. */
    void start(int[] rows, PromptCache prompts, int[] sources) {
        int[] lengths = Arrays.stream(sources).map(prompts::length).toArray();
        script.tensor(
                        scope,
                        "start",
                        keys,
                        values,
                        bias,
                        prompts.keys(),
                        prompts.values(),
                        longs(rows),
                        longs(sources),
                        longs(lengths),
                        column)
                .close();
        start = Math.min(start, column - Arrays.stream(lengths).max().orElse(0));
    }

    /** Makes room for so many columns more, half as many again as there are, so that what is copied stays a small part of the work. */
    void reserve(int columns, int longest) {
        int needed = column + columns;
        if (needed <= capacity) {
            return;
        }
        capacity = blocks(Math.max(needed, Math.min(capacity + capacity / 2, longest)));
        keys.replaceAll(x -> replaced(x, "widened", capacity));
        values.replaceAll(x -> replaced(x, "widened", capacity));
        bias = replaced(bias, "widened_bias", capacity);
    }

    void advance(int columns) {
        column += columns;
    }

    /** Goes on with these rows only, counted within the cohort, in this order. */
    void keep(int[] kept) {
        try (NDManager pass = scope.newSubManager()) {
            NDArray index = pass.create(longs(kept));
            keys.replaceAll(x -> replaced(x, "select_rows", index));
            values.replaceAll(x -> replaced(x, "select_rows", index));
            bias = replaced(bias, "select_rows", index);
        }
        rows = kept.length;
    }

    private NDArray replaced(NDArray old, String method, Object argument) {
        NDArray replacement = script.tensor(scope, method, old, argument);
        old.close();
        return replacement;
    }

    static long[] longs(int[] values) {
        return Arrays.stream(values).asLongStream().toArray();
    }

    @Override
    public void close() {
        scope.close();
    }
}
