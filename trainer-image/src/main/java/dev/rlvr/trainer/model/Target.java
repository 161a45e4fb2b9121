package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDManager;

/** Where a script is to run. */
enum Target {
    /** The CPU, by its own operators. */
    CPU,
    /** Any device, by operators that all have. */
    ANY;

    /** That of what a manager owns. */
    static Target of(NDManager owner) {
        return owner.getDevice().isGpu() ? ANY : CPU;
    }
}
