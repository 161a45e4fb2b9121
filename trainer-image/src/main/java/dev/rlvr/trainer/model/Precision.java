package dev.rlvr.trainer.model;

/** What matrix products compute in. Master weights, norms, softmax, losses and the optimizer are F32 in either. */
public enum Precision {
    F32,
    BF16;

    /** libtorch's number of the type. */
    int scalarType() {
        return this == BF16 ? 15 : 6;
    }

    /** Bytes of a value. */
    public int bytes() {
        return this == BF16 ? 2 : 4;
    }
}
