package dev.rlvr.trainer.objective;

import dev.rlvr.crds.AlgorithmSpec.Clip;

/**
 * How far the current policy is from the one that sampled, over all response tokens, kept or not. Sums, so that parts can be added.
 *
 * @param tokens number of tokens
 * @param clippedLow tokens with a negative advantage whose ratio is below 1 - low
 * @param clippedHigh tokens with a positive advantage whose ratio is above 1 + high
 * @param kl sum of {@code r - 1 - log r}, an unbiased estimate of the divergence in nats (k3, http://joschu.net/blog/kl-approx.html)
 * @param difference sum of the absolute differences of log-probabilities in nats
 * @param entropy sum of the current policy's entropies in nats
 */
public record RatioStatistics(
        long tokens, long clippedLow, long clippedHigh, double kl, double difference, double entropy) {
    /** No tokens. */
    public static final RatioStatistics NONE = new RatioStatistics(0, 0, 0, 0, 0, 0);

    /** Compares log-probabilities token by token. */
    public static RatioStatistics of(float[] current, float[] old, float[] advantages, float[] entropies, Clip clip) {
        long low = 0;
        long high = 0;
        double kl = 0;
        double differences = 0;
        double entropy = 0;
        for (int i = 0; i < current.length; i++) {
            double difference = (double) current[i] - old[i];
            double ratio = Math.exp(difference);
            low += advantages[i] < 0 && ratio < 1 - clip.low() ? 1 : 0;
            high += advantages[i] > 0 && ratio > 1 + clip.high() ? 1 : 0;
            kl += ratio - 1 - difference;
            differences += Math.abs(difference);
            entropy += entropies[i];
        }
        return new RatioStatistics(current.length, low, high, kl, differences, entropy);
    }

    /** Both parts together. */
    public RatioStatistics plus(RatioStatistics other) {
        return new RatioStatistics(
                tokens + other.tokens,
                clippedLow + other.clippedLow,
                clippedHigh + other.clippedHigh,
                kl + other.kl,
                difference + other.difference,
                entropy + other.entropy);
    }

    /** A sum as a mean over the tokens; 0 where there are none. */
    public double mean(double sum) {
        return tokens == 0 ? 0 : sum / tokens;
    }
}
