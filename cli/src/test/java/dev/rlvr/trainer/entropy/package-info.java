/** A stand-in for the trainer's program of the same name. */
@NullMarked
package dev.rlvr.trainer.entropy;

import org.jspecify.annotations.NullMarked;
