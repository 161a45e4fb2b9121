/** Sampling answers from the policy. */
@NullMarked
package dev.rlvr.trainer.rollout;

import org.jspecify.annotations.NullMarked;
