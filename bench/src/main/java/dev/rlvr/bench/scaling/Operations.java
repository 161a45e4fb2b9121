package dev.rlvr.bench.scaling;

import dev.rlvr.trainer.model.ModelConfig;

/**
 * Floating-point operations. {@code N} scalars in the matrices of a layer, {@code L} layers, {@code A = heads x headDim}, {@code V} words,
 * {@code D} width, {@code F} width of the MLP; a line of {@code T} tokens, {@code r} of them response, {@code q r} kept.
 *
 * <ul>
 * <li>forward: {@code L (2 N T + 2 A T^2)}, less {@code 6 D F (T - r)} since the last MLP sees response tokens only;
 * <li>once more, for what was not kept: the same less {@code 2 D F T} a layer, the MLP's last product;
 * <li>scores: {@code 2 V D r};
 * <li>backward: {@code L (4 N T + 5 A T^2)} (attention computes its scores again) less {@code 12 D F (T - q r)}, and {@code 6 V D q r} for the head.
 * </ul>
 */
record Operations(ModelConfig model) {
    /** Scalars in the matrices of one layer. */
    double layer() {
        return model.hidden() * (2.0 * queries() + 2.0 * model.kvHeads() * model.headDim()) + 3 * mlp();
    }

    /** Scalars that a token which is sampled is multiplied by. */
    double decoder() {
        return model.layers() * layer() + head();
    }

    private double queries() {
        return (double) model.heads() * model.headDim();
    }

    private double mlp() {
        return (double) model.hidden() * model.intermediate();
    }

    private double head() {
        return (double) model.vocabulary() * model.hidden();
    }

    double forward(Part part) {
        return forward((double) part.padded(), part.width()) - 6 * mlp() * (part.padded() - part.response());
    }

    /** Of all rows, as prompts are read. */
    double forward(double tokens, double width) {
        return model.layers() * (2 * layer() * tokens + 2 * queries() * tokens * width);
    }

    double again(Part part) {
        return forward(part) - 2 * mlp() * model.layers() * part.padded();
    }

    double scores(Part part) {
        return 2 * head() * part.response();
    }

    double backward(Part part, double kept) {
        double tokens = part.padded();
        return model.layers() * (4 * layer() * tokens + 5 * queries() * tokens * part.width())
                - 12 * mlp() * (tokens - kept * part.response())
                + 6 * head() * kept * part.response();
    }
}
