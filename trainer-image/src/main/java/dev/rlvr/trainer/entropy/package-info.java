/** Log-probabilities and entropies of given texts under a model: what {@code ./rlvr entropy} runs. */
@NullMarked
package dev.rlvr.trainer.entropy;

import org.jspecify.annotations.NullMarked;
