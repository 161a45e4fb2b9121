package dev.rlvr.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a benchmark gave.
 *
 * @param rounds the measured rounds of each side that could do the work, ours first, all of the same number
 * @param unavailable why a side could not
 */
record Outcome(Benchmark benchmark, Map<String, List<Round>> rounds, Map<String, String> unavailable) {
    Outcome {
        rounds = new LinkedHashMap<>(rounds);
        unavailable = new LinkedHashMap<>(unavailable);
    }

    /** Ours beside one peer. Ratios are peer's / ours: over 1, ours is faster. */
    record Comparison(Medians ours, Medians peer, double wallRatio, double lowest, double highest, double cpuRatio) {
        /** Our share of the peer's memory. */
        double memoryShare() {
            return ours.bytes() / peer.bytes();
        }
    }

    /** Medians of one side. */
    record Medians(String name, double seconds, double cpuSeconds, double bytes) {
        static Medians of(String name, List<Round> rounds) {
            return new Medians(
                    name,
                    Statistics.median(rounds, Round::seconds),
                    Statistics.median(rounds, Round::cpuSeconds),
                    Statistics.median(rounds, Round::bytes));
        }
    }

    Optional<Comparison> with(Contestant peer) {
        List<Round> ours = rounds.getOrDefault(benchmark.ours().name(), List.of());
        List<Round> theirs = rounds.getOrDefault(peer.name(), List.of());
        if (ours.isEmpty() || theirs.isEmpty()) {
            return Optional.empty();
        }
        double[] wall = Statistics.ratios(ours, theirs, Round::seconds);
        double[] sorted = wall.clone();
        Arrays.sort(sorted);
        return Optional.of(new Comparison(
                Medians.of(benchmark.ours().name(), ours),
                Medians.of(peer.name(), theirs),
                Statistics.median(wall),
                sorted[0],
                sorted[sorted.length - 1],
                Statistics.median(Statistics.ratios(ours, theirs, Round::cpuSeconds))));
    }

    /** The sides whose results are not ours: they did not do the same work, so their times say nothing. */
    List<String> disagreeing() {
        List<Round> ours = rounds.getOrDefault(benchmark.ours().name(), List.of());
        return rounds.entrySet().stream()
                .filter(side -> !ours.isEmpty() && !agree(ours, side.getValue()))
                .map(Map.Entry::getKey)
                .toList();
    }

    private boolean agree(List<Round> ours, List<Round> theirs) {
        for (int i = 0; i < ours.size(); i++) {
            double expected = theirs.get(i).check();
            // what is not a number must not pass where a comparison was asked for
            boolean close = Math.abs(ours.get(i).check() - expected) <= benchmark.tolerance() * Math.abs(expected);
            if (!close && Double.isFinite(benchmark.tolerance())) {
                return false;
            }
        }
        return true;
    }
}
