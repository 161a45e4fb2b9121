package dev.rlvr.bench.scaling;

import java.util.random.RandomGenerator;

/**
 * Answers' lengths in tokens: log-normal, cut at the longest; answers to one problem are alike.
 *
 * @param mean before they are cut
 * @param spread standard deviation / mean; 0 for answers that are all alike
 * @param longest what an answer may have at most
 * @param ofProblem share of the variance of their logarithms that is the problem's: 0 where it tells nothing of its answers' lengths
 */
public record Lengths(double mean, double spread, int longest, double ofProblem) {
    /** What was drawn for a batch. */
    static final class Batch {
        private final int[] answers;
        private final double[] before;

        private Batch(int[] answers, double[] before) {
            this.answers = answers;
            this.before = before;
        }

        /** Lengths of the answers to the first problem, then of those to the second, and so on. */
        int[] answers() {
            return answers;
        }

        /** Mean length of as many answers to each problem, drawn another time. */
        double[] before() {
            return before;
        }
    }

    /**
     * Some answers to each of some problems: with {@code s^2 = ln(1 + spread^2)} and {@code q = ofProblem},
     * {@code exp(ln(mean) - s^2 / 2 + s (sqrt(q) y + sqrt(1 - q) z))} for a normal y of the problem and a normal z of the answer.
     */
    Batch draw(int problems, int answers, RandomGenerator random) {
        int[] lengths = new int[problems * answers];
        double[] before = new double[problems];
        for (int problem = 0; problem < problems; problem++) {
            double own = Math.sqrt(ofProblem) * random.nextGaussian();
            for (int answer = 0; answer < answers; answer++) {
                lengths[problem * answers + answer] = length(own, random);
                before[problem] += (double) length(own, random) / answers;
            }
        }
        return new Batch(lengths, before);
    }

    private int length(double own, RandomGenerator random) {
        double variance = Math.log1p(spread * spread);
        double middle = Math.log(mean) - variance / 2;
        double normal = own + Math.sqrt(1 - ofProblem) * random.nextGaussian();
        return Math.clamp(Math.round(Math.exp(middle + Math.sqrt(variance) * normal)), 1, longest);
    }
}
