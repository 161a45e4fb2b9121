package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.List;

/** Prompts that were read once: what their answers start from, however many there are and whenever they do. */
public final class PromptCache implements AutoCloseable {
    private final NDManager scope;
    private final List<Integer> lengths;
    private final List<NDArray> keys = new ArrayList<>();
    private final List<NDArray> values = new ArrayList<>();
    private final NDArray logits;

    PromptCache(
            Script script, WorkingWeights weights, RotaryTables rotary, NDManager owner, List<List<Integer>> prompts) {
        scope = owner.newSubManager();
        lengths = prompts.stream().map(List::size).toList();
        int width = lengths.stream().max(Integer::compare).orElseThrow();
        try (NDManager pass = scope.newSubManager()) {
            RotaryTables tables = rotary.first(pass, width);
            NDArray x = script.tensor(pass, "embed", weights.embedding(), pass.create(ids(prompts, width)));
            for (int layer = 0; layer < weights.layers(); layer++) {
                try (NDManager here = pass.newSubManager()) {
                    List<NDArray> out = script.tensors(
                            here,
                            "prefill_layer",
                            x,
                            weights.layer(layer),
                            tables.cos(),
                            tables.sin(),
                            prompts.size(),
                            width);
                    x.close();
                    x = out.get(0);
                    x.attach(pass);
                    keys.add(out.get(1));
                    values.add(out.get(2));
                    out.get(1).attach(scope);
                    out.get(2).attach(scope);
                }
                weights.release(layer);
            }
            logits = script.tensor(
                    scope,
                    "last_logits",
                    x,
                    weights.finalNorm(),
                    weights.head(),
                    pass.create(lastPositions(prompts, width)));
        }
    }

    private static long[] ids(List<List<Integer>> prompts, int width) {
        long[] flat = new long[prompts.size() * width];
        for (int p = 0; p < prompts.size(); p++) {
            for (int t = 0; t < prompts.get(p).size(); t++) {
                flat[p * width + t] = prompts.get(p).get(t);
            }
        }
        return flat;
    }

    private static long[] lastPositions(List<List<Integer>> prompts, int width) {
        long[] last = new long[prompts.size()];
        for (int p = 0; p < last.length; p++) {
            last[p] = (long) p * width + prompts.get(p).size() - 1;
        }
        return last;
    }

    /** Tokens of a prompt. */
    int length(int prompt) {
        return lengths.get(prompt);
    }

    /** Keys of each layer {@code [prompts, kvHeads, longest, headDim]}. */
    List<NDArray> keys() {
        return keys;
    }

    /** Values of each layer {@code [prompts, kvHeads, longest, headDim]}. */
    List<NDArray> values() {
        return values;
    }

    /** Logits of the first token after each prompt {@code [prompts, vocabulary]}. */
    NDArray logits() {
        return logits;
    }

    @Override
    public void close() {
        scope.close();
    }
}
