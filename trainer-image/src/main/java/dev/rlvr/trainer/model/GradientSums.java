package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import java.util.List;

/** Where a backward pass adds the gradients of the weights to. */
public interface GradientSums {
    /** {@code [vocabulary, hidden]}. */
    NDArray embedding();

    /** {@code [hidden]}. */
    NDArray finalNorm();

    /** {@code [vocabulary, hidden]}; the embedding's where they are tied. */
    NDArray head();

    /** Of a layer's weights, in their order. A pass asks once, before it adds to them. */
    List<NDArray> layer(int layer);

    /**
     * The pass adds nothing more to a unit.
     *
     * @param unit 0 for everything outside the layers, from 1 for the layers
     */
    void finished(int unit);
}
