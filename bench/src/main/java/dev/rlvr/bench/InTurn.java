package dev.rlvr.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a benchmark's sides in turn: ours, the peers, then the same in reverse, and so on, so that neither what else the machine does nor its
 * temperature favours one of them.
 */
final class InTurn {
    private final PrintStream progress;

    InTurn(PrintStream progress) {
        this.progress = progress;
    }

    /** @throws IOException if a side fails; one that is merely unavailable is left out and named in the outcome */
    Outcome run(Benchmark benchmark) throws IOException {
        List<Contestant> sides = new ArrayList<>();
        sides.add(benchmark.ours());
        sides.addAll(benchmark.peers());
        Map<String, String> unavailable = new LinkedHashMap<>();
        Map<String, List<Round>> rounds = new LinkedHashMap<>();
        try {
            for (Contestant side : List.copyOf(sides)) {
                progress.printf("%s: starting %s%n", benchmark.name(), side.name());
                try {
                    side.start();
                    rounds.put(side.name(), new ArrayList<>());
                } catch (Contestant.UnavailableException e) {
                    progress.printf("%s: %s: %s%n", benchmark.name(), side.name(), e.getMessage());
                    unavailable.put(side.name(), e.getMessage());
                    sides.remove(side);
                    if (side == benchmark.ours()) {
                        return new Outcome(benchmark, Map.of(), unavailable);
                    }
                }
            }
            for (int round = -benchmark.warmups(); round < benchmark.rounds(); round++) {
                measure(benchmark.name(), round, round % 2 == 0 ? sides : sides.reversed(), rounds);
            }
        } finally {
            sides.forEach(Contestant::close);
        }
        return new Outcome(benchmark, rounds, unavailable);
    }

    private void measure(String benchmark, int number, List<Contestant> order, Map<String, List<Round>> rounds)
            throws IOException {
        for (Contestant side : order) {
            Round round = side.round();
            progress.printf(
                    "%s: %s %s: %.3f s, CPU %.3f s, %.0f MB, check %.5g%n",
                    benchmark,
                    number < 0 ? "warm-up" : "round " + (number + 1),
                    side.name(),
                    round.seconds(),
                    round.cpuSeconds(),
                    round.bytes() / 1e6,
                    round.check());
            if (number >= 0) {
                rounds.get(side.name()).add(round);
            }
        }
    }
}
