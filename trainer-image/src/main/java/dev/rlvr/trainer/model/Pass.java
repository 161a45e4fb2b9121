package dev.rlvr.trainer.model;

/** A batch on its way through the layers and back. */
public sealed interface Pass extends AutoCloseable permits ForwardPass, IdlePass {
    /** Scores all response tokens of the pass. */
    Decoder.Scores score(double temperature);

    /**
     * Adds the gradients of a sum of token losses, and frees what the pass remembered.
     *
     * @param kept positions among the response tokens, ascending
     * @param loss scalar loss of a run of kept tokens
     * @param gradients where the gradients of the weights are added to
     * @return the sum of all losses
     */
    double backward(long[] kept, double temperature, Decoder.TokenLoss loss, GradientSums gradients);

    @Override
    void close();
}
