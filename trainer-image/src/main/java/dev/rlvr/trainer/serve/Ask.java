package dev.rlvr.trainer.serve;

import dev.rlvr.trainer.model.Drawing;
import java.util.List;
import java.util.Set;

/**
 * One answer that is asked for.
 *
 * @param tokens ids of the prompt, at least one
 * @param longest answer in tokens
 * @param endTokens that end it beside the model's own
 * @param seed of its random numbers: the state that they go on from
 */
record Ask(List<Integer> tokens, Drawing drawing, int longest, Set<Integer> endTokens, long seed) {
    Ask {
        tokens = List.copyOf(tokens);
        endTokens = Set.copyOf(endTokens);
    }

    /** What answers must have in common to be sampled together. */
    record Kind(Drawing drawing, int longest, Set<Integer> endTokens) {}

    Kind kind() {
        return new Kind(drawing, longest, endTokens);
    }
}
