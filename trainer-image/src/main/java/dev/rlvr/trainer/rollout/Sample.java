package dev.rlvr.trainer.rollout;

/**
 * One sampled answer.
 *
 * @param tokens response ids, the end token included where it was drawn, {@code [length]}
 * @param logProbabilities under the policy that sampled, in nats at the sampling temperature, {@code [length]}
 * @param entropies of the distributions the tokens were drawn from, in nats, {@code [length]}
 * @param ended whether it ended by itself; false if it was cut at the longest length
 */
@SuppressWarnings("ArrayRecordComponent") // plain columns of numbers; never compared
public record Sample(int[] tokens, float[] logProbabilities, float[] entropies, boolean ended) {
    /** Tokens of the answer. */
    public int length() {
        return tokens.length;
    }
}
