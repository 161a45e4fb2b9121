package dev.rlvr.trainer.sharding;

import dev.rlvr.trainer.model.GradientSums;

/** How the gradients of all ranks become one sum. */
sealed interface Reduction permits ReductionAtTheEnd, ReductionPerPass {
    /** Where a pass adds to; {@code last} where no other of the same step follows on any rank. */
    GradientSums sums(boolean last);

    /** Returns once this rank's part of the sum is complete. */
    void finish();
}
