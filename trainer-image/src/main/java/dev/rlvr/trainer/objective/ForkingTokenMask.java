package dev.rlvr.trainer.objective;

import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Which response tokens of a mini-batch take part in the update ("Beyond the 80/20 Rule", arXiv 2506.01939, Eq. 6). A share keeps exactly
 * {@code ceil(fraction * tokens)} of them, at least 1; where entropies tie at the edge, earlier tokens go first. Only response tokens come
 * in, so prompts and padding can neither be kept nor move the threshold.
 *
 * @param kept one entry per token
 * @param count kept tokens
 * @param threshold lowest kept entropy in nats (LowestEntropy: highest); NaN if nothing is kept
 */
@SuppressWarnings("ArrayRecordComponent") // as long as the batch; never compared
public record ForkingTokenMask(boolean[] kept, int count, double threshold) {
    /**
     * Selects tokens.
     *
     * @param entropies of all response tokens of the mini-batch, in nats, {@code [tokens]}
     * @param settings what to select
     * @param random source of the Random selection
     * @throws DivergedException if an entropy is not a number: the policy has diverged
     */
    public static ForkingTokenMask select(float[] entropies, ForkingTokens settings, RandomGenerator random) {
        for (float entropy : entropies) {
            if (Float.isNaN(entropy)) {
                throw new DivergedException("a token's entropy is not a number: the policy has diverged");
            }
        }
        boolean[] kept = switch (settings.select()) {
            case All -> all(entropies.length);
            case HighestEntropy ->
                settings.entropyThreshold() == null
                        ? largest(entropies, fraction(settings))
                        : atLeast(entropies, settings.entropyThreshold());
            case LowestEntropy ->
                settings.entropyThreshold() == null
                        ? largest(negated(entropies), fraction(settings))
                        : atLeast(negated(entropies), -settings.entropyThreshold());
            case Random -> largest(keys(entropies.length, random), fraction(settings));
        };
        return describe(kept, entropies, settings.select() == ForkingTokens.Select.LowestEntropy);
    }

    private static double fraction(ForkingTokens settings) {
        Double fraction = settings.fraction();
        return fraction == null ? ForkingTokens.DEFAULT_FRACTION : fraction;
    }

    private static boolean[] all(int tokens) {
        boolean[] kept = new boolean[tokens];
        Arrays.fill(kept, true);
        return kept;
    }

    /** The exact top share: everything above the k-th largest value, then ties in order until there are k. */
    private static boolean[] largest(float[] values, double fraction) {
        int count = Math.clamp(
                (long) Math.ceil(fraction * values.length - 1e-9), Math.min(1, values.length), values.length);
        boolean[] kept = new boolean[values.length];
        if (count == 0) {
            return kept;
        }
        float[] sorted = values.clone();
        Arrays.parallelSort(sorted);
        float edge = sorted[values.length - count];
        int left = count;
        for (int i = 0; i < values.length; i++) {
            if (values[i] > edge) {
                kept[i] = true;
                left--;
            }
        }
        for (int i = 0; i < values.length && left > 0; i++) {
            if (!kept[i] && values[i] == edge) {
                kept[i] = true;
                left--;
            }
        }
        return kept;
    }

    private static boolean[] atLeast(float[] values, double threshold) {
        boolean[] kept = new boolean[values.length];
        for (int i = 0; i < values.length; i++) {
            kept[i] = values[i] >= threshold;
        }
        return kept;
    }

    private static float[] negated(float[] values) {
        float[] negated = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            negated[i] = -values[i];
        }
        return negated;
    }

    private static float[] keys(int tokens, RandomGenerator random) {
        float[] keys = new float[tokens];
        for (int i = 0; i < tokens; i++) {
            keys[i] = random.nextFloat();
        }
        return keys;
    }

    private static ForkingTokenMask describe(boolean[] kept, float[] entropies, boolean lowest) {
        int count = 0;
        double threshold = Double.NaN;
        for (int i = 0; i < kept.length; i++) {
            if (kept[i]) {
                boolean first = count++ == 0;
                boolean further = lowest ? entropies[i] > threshold : entropies[i] < threshold;
                threshold = first || further ? entropies[i] : threshold;
            }
        }
        return new ForkingTokenMask(kept, count, threshold);
    }
}
