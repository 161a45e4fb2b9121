package dev.rlvr.e2e.scale;

import java.util.Collection;

/**
 * Of a set of measured seconds.
 *
 * @param median the middle one
 * @param p99 what 99 of 100 do not exceed
 * @param highest the longest
 */
record Quantiles(double median, double p99, double highest) {
    static Quantiles of(Collection<Double> seconds) {
        double[] sorted =
                seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted.length == 0
                ? new Quantiles(Double.NaN, Double.NaN, Double.NaN)
                : new Quantiles(at(sorted, 0.5), at(sorted, 0.99), sorted[sorted.length - 1]);
    }

    private static double at(double[] sorted, double share) {
        return sorted[(int) Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
    }
}
