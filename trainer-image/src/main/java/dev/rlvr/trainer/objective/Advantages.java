package dev.rlvr.trainer.objective;

import java.util.Arrays;

/** Advantages of the answers to one prompt. */
public final class Advantages {
    /** Keeps a group of equal rewards from dividing by zero. */
    private static final double EPSILON = 1e-6;

    private Advantages() {}

    /**
     * Group-relative advantages, {@code (R - mean) / (std + 1e-6)}, with the sample standard deviation (GRPO, arXiv 2402.03300).
     *
     * @param rewards of one group, at least 2
     * @return one advantage per answer
     */
    public static double[] ofGroup(double[] rewards) {
        double mean = Arrays.stream(rewards).average().orElseThrow();
        double variance =
                Arrays.stream(rewards).map(r -> (r - mean) * (r - mean)).sum() / (rewards.length - 1);
        double deviation = Math.sqrt(variance) + EPSILON;
        return Arrays.stream(rewards).map(r -> (r - mean) / deviation).toArray();
    }
}
