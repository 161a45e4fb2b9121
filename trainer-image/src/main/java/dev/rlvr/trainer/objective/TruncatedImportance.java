package dev.rlvr.trainer.objective;

/**
 * How much more likely a token is under the policy that is updated than under the older one that sampled it. In the loss it makes a stale answer
 * count as if the current policy had sampled it; truncated, so that a rare token cannot outweigh a batch (Ionides, 2008,
 * doi:10.1198/106186008X320456).
 */
public final class TruncatedImportance {
    private TruncatedImportance() {}

    /**
     * The weights of some tokens.
     *
     * @param current log-probabilities under the policy that is updated, nats, {@code [tokens]}
     * @param sampled log-probabilities under the policy that sampled, nats, {@code [tokens]}
     * @param most bound from above, at least 1
     * @return {@code min(exp(current - sampled), most)}, {@code [tokens]}
     */
    public static float[] of(float[] current, float[] sampled, double most) {
        float[] weights = new float[current.length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) Math.min(Math.exp((double) current[i] - sampled[i]), most);
        }
        return weights;
    }
}
