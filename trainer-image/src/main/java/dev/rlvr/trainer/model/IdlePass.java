package dev.rlvr.trainer.model;

/**
 * The pass of a rank that has nothing to compute while others have: it takes part in fetching layers and in summing gradients, in the order of a
 * {@link ForwardPass}.
 */
final class IdlePass implements Pass {
    private static final Decoder.Scores NONE = new Decoder.Scores(new float[0], new float[0]);

    private final WorkingWeights weights;

    IdlePass(WorkingWeights weights) {
        this.weights = weights;
    }

    /** Goes through the layers. */
    IdlePass forward() {
        for (int l = 0; l < weights.layers(); l++) {
            weights.layer(l);
            weights.expect(l + 1);
            weights.release(l);
        }
        return this;
    }

    @Override
    public Decoder.Scores score(double temperature) {
        return NONE;
    }

    @Override
    public double backward(long[] kept, double temperature, Decoder.TokenLoss loss, GradientSums gradients) {
        for (int l = weights.layers() - 1; l >= 0; l--) {
            weights.layer(l);
            weights.expect(l - 1);
            gradients.layer(l);
            weights.release(l);
            gradients.finished(1 + l);
        }
        gradients.finished(0);
        return 0;
    }

    @Override
    public void close() {
        // nothing is held
    }
}
