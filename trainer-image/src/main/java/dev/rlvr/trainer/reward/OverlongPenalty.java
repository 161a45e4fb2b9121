package dev.rlvr.trainer.reward;

import dev.rlvr.crds.RewardSpec;

/**
 * DAPO's soft overlong punishment (arXiv 2503.14476, Eq. 13): nothing up to {@code maxTokens - cacheTokens}, then a
 * straight line down to {@code -penalty} at {@code maxTokens}, and no further.
 */
public final class OverlongPenalty {
    private OverlongPenalty() {}

    /** What is added to the reward of a response of so many tokens: at most 0. */
    public static double of(RewardSpec.Overlong spec, int responseTokens) {
        int free = spec.maxTokens() - spec.cacheTokens();
        double over = (double) (responseTokens - free) / spec.cacheTokens();
        return -spec.penalty() * Math.clamp(over, 0, 1) + 0.0;
    }
}
