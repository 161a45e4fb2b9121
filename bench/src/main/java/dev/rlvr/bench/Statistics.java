package dev.rlvr.bench;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Medians, and ratios of rounds that were measured next to each other. */
final class Statistics {
    private Statistics() {}

    /** The middle value, or the mean of the two in the middle; NaN of nothing. */
    static double median(double... values) {
        if (values.length == 0) {
            return Double.NaN;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    static double median(List<Round> rounds, ToDoubleFunction<Round> figure) {
        return median(rounds.stream().mapToDouble(figure).toArray());
    }

    /**
     * How many times as much the peer took, round by round: 2 says that ours took half of it.
     *
     * @param ours as many rounds as {@code peer}, round i beside round i
     */
    static double[] ratios(List<Round> ours, List<Round> peer, ToDoubleFunction<Round> figure) {
        if (ours.size() != peer.size()) {
            throw new IllegalArgumentException(ours.size() + " rounds beside " + peer.size());
        }
        double[] ratios = new double[ours.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = figure.applyAsDouble(peer.get(i)) / figure.applyAsDouble(ours.get(i));
        }
        return ratios;
    }
}
