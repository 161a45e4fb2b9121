package dev.rlvr.trainer;

import dev.rlvr.crds.TrainerSpec.Recomputation;
import dev.rlvr.trainer.model.MemoryNeed;
import dev.rlvr.trainer.model.Retention;

/**
 * Chooses what forward passes keep, by what fits. The choice changes time and memory, never a bit of the result.
 *
 * @param asked what the job asks for
 * @param need of the model
 * @param budget bytes for passes: what is kept, and the workspace of the one that runs
 */
record RecomputationPlan(Recomputation asked, MemoryNeed need, long budget) {
    /**
     * How a mini-batch goes through the model.
     *
     * @param retention what each pass keeps
     * @param together whether the passes of all micro-batches are kept from the first forward to the last backward; else each micro-batch is
     *     scored first and passes through the model once more for its gradients
     */
    record Choice(Retention retention, boolean together) {}

    /**
     * Chooses for one mini-batch whose threshold needs all scores before the first backward.
     *
     * @param tokens of all micro-batches, padding included
     * @param largest micro-batch, in tokens
     */
    Choice choose(long tokens, long largest) {
        if (asked != Recomputation.Always
                && (asked == Recomputation.Never || fits(Retention.ACTIVATIONS, tokens, largest))) {
            return new Choice(Retention.ACTIVATIONS, true);
        }
        if (fits(Retention.INPUTS, tokens, largest)) {
            return new Choice(Retention.INPUTS, true);
        }
        return new Choice(choose(largest), false);
    }

    /** Chooses for one micro-batch of that many tokens that goes forward and backward by itself. */
    Retention choose(long tokens) {
        boolean keep = switch (asked) {
            case Never -> true;
            case Always -> false;
            case Auto -> fits(Retention.ACTIVATIONS, tokens, tokens);
        };
        return keep ? Retention.ACTIVATIONS : Retention.INPUTS;
    }

    private boolean fits(Retention retention, long tokens, long largest) {
        return bytes(retention, tokens, largest) <= budget;
    }

    /** Bytes of passes that keep so much of so many tokens, with the workspace of the largest micro-batch. */
    long bytes(Retention retention, long tokens, long largest) {
        return need.kept(retention) * tokens + need.workspace(retention) * largest + need.head();
    }
}
