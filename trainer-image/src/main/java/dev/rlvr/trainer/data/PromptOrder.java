package dev.rlvr.trainer.data;

/**
 * The order of problems in each epoch: a Fisher-Yates shuffle that is a function of (seed, epoch) alone.
 *
 * @param shuffleSeed {@code spec.data.shuffleSeed}
 * @param problems number of problems
 */
public record PromptOrder(long shuffleSeed, int problems) {
    /** The indices of the problems in the order of an epoch, from 0: {@code [problems]}. */
    public int[] epoch(long epoch) {
        SplitMix64 random = new SplitMix64(shuffleSeed, epoch);
        int[] order = new int[problems];
        for (int i = 0; i < problems; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
