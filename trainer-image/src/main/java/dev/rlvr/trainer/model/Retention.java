package dev.rlvr.trainer.model;

/** What a forward pass keeps for a backward pass. */
public enum Retention {
    /** Nothing: scores only. */
    NOTHING,
    /** The layers' inputs: backward runs each layer's forward again. */
    INPUTS,
    /** Everything backward needs: nothing is computed twice. */
    ACTIVATIONS
}
