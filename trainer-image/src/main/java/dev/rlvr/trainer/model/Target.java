package dev.rlvr.trainer.model;

/** Where a script is to run. */
enum Target {
    /** The CPU, by its own operators. */
    CPU,
    /** Any device, by operators that all have. */
    ANY
}
