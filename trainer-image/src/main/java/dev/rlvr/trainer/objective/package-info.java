/** Advantages, the forking-token mask and the policy loss. */
@NullMarked
package dev.rlvr.trainer.objective;

import org.jspecify.annotations.NullMarked;
