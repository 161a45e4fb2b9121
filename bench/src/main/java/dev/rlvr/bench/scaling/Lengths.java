package dev.rlvr.bench.scaling;

import java.util.random.RandomGenerator;

/**
 * Answers' lengths in tokens: log-normal, cut at the longest.
 *
 * @param mean before they are cut
 * @param spread standard deviation / mean; 0 for answers that are all alike
 * @param longest what an answer may have at most
 */
public record Lengths(double mean, double spread, int longest) {
    /** Lengths of some answers: with {@code s^2 = ln(1 + spread^2)}, {@code exp(ln(mean) - s^2 / 2 + s z)} for a normal z. */
    int[] draw(int count, RandomGenerator random) {
        double variance = Math.log1p(spread * spread);
        double middle = Math.log(mean) - variance / 2;
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++) {
            double length = Math.exp(middle + Math.sqrt(variance) * random.nextGaussian());
            lengths[i] = Math.clamp(Math.round(length), 1, longest);
        }
        return lengths;
    }
}
