/** A stand-in for the trainer's program of the same name. */
@NullMarked
package dev.rlvr.trainer.fetch;

import org.jspecify.annotations.NullMarked;
