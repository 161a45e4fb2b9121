/** Verifiers, each under a hard time limit, and the shaping of rewards. */
@NullMarked
package dev.rlvr.trainer.reward;

import org.jspecify.annotations.NullMarked;
