package dev.rlvr.trainer.objective;

import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Which response tokens take part in the update ("Beyond the 80/20 Rule", arXiv 2506.01939, Eq. 6). A share keeps exactly
 * {@code ceil(fraction * tokens)} of them, at least 1; where entropies tie at the edge, earlier tokens go first. Only response tokens come
 * in, so prompts and padding can neither be kept nor move the threshold.
 *
 * @param kept one entry per token
 * @param count kept tokens
 * @param threshold lowest kept entropy in nats (LowestEntropy: highest); NaN if nothing is kept
 */
@SuppressWarnings("ArrayRecordComponent") // as long as the batch; never compared
public record ForkingTokenMask(boolean[] kept, int count, double threshold) {
    /** Nothing of nothing. */
    public static final ForkingTokenMask NONE = new ForkingTokenMask(new boolean[0], 0, Double.NaN);

    /**
     * Selects tokens.
     *
     * @param entropies of all response tokens among which a share is taken, in nats, {@code [tokens]}
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
        return describe(kept, entropies, isLowest(settings));
    }

    /**
     * Selects tokens of each sequence by itself.
     *
     * @param lengths of the sequences that the entropies belong to, in order
     */
    public static ForkingTokenMask selectEach(
            float[] entropies, int[] lengths, ForkingTokens settings, RandomGenerator random) {
        List<ForkingTokenMask> masks = new ArrayList<>();
        int at = 0;
        for (int length : lengths) {
            masks.add(select(Arrays.copyOfRange(entropies, at, at + length), settings, random));
            at += length;
        }
        return join(masks, settings);
    }

    /** One mask of several, in order. */
    public static ForkingTokenMask join(List<ForkingTokenMask> masks, ForkingTokens settings) {
        boolean[] kept =
                new boolean[masks.stream().mapToInt(mask -> mask.kept.length).sum()];
        int count = 0;
        double threshold = Double.NaN;
        int at = 0;
        for (ForkingTokenMask mask : masks) {
            System.arraycopy(mask.kept, 0, kept, at, mask.kept.length);
            at += mask.kept.length;
            if (mask.count > 0) {
                boolean further = isLowest(settings) ? mask.threshold > threshold : mask.threshold < threshold;
                threshold = count == 0 || further ? mask.threshold : threshold;
                count += mask.count;
            }
        }
        return new ForkingTokenMask(kept, count, threshold);
    }

    /** A mask of flags that are not 0 where a token is kept. */
    public static ForkingTokenMask of(float[] flags, double threshold) {
        boolean[] kept = new boolean[flags.length];
        int count = 0;
        for (int i = 0; i < flags.length; i++) {
            kept[i] = flags[i] != 0;
            count += kept[i] ? 1 : 0;
        }
        return new ForkingTokenMask(kept, count, threshold);
    }

    /** The mask of tokens {@code from} to {@code to - 1}, with the threshold of the whole. */
    public ForkingTokenMask slice(int from, int to) {
        boolean[] part = Arrays.copyOfRange(kept, from, to);
        int here = 0;
        for (boolean keep : part) {
            here += keep ? 1 : 0;
        }
        return new ForkingTokenMask(part, here, threshold);
    }

    private static boolean isLowest(ForkingTokens settings) {
        return settings.select() == ForkingTokens.Select.LowestEntropy;
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
