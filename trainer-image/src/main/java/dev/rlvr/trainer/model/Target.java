package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDManager;

/** Where a script is to run. */
enum Target {
    /** The CPU, by its own operators. */
    CPU,
    /** A GPU, by CUDA's fused attention and operators that all have. */
    CUDA,
    /** Any device, by operators that all have. */
    ANY;

    /** That of what a manager owns. */
    static Target of(NDManager owner) {
        return owner.getDevice().isGpu() ? CUDA : CPU;
    }
}
