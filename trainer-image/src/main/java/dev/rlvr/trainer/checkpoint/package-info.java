/** Snapshots of training state that are complete or invisible. */
@NullMarked
package dev.rlvr.trainer.checkpoint;

import org.jspecify.annotations.NullMarked;
