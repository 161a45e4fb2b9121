package dev.rlvr.e2e.faults;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What came of the faults, by kind. */
final class Summary {
    private final Map<Fault, Row> rows = new EnumMap<>(Fault.class);
    private int schedules;
    private int attempts;
    private double seconds;

    /** Faults of a kind: how many, what became of their attempts, and seconds to the end of those that had no other fault. */
    private static final class Row {
        private int count;
        private int ended;
        private int wentOn;
        private final List<Double> running = new ArrayList<>();
        private final List<Double> starting = new ArrayList<>();
    }

    void add(List<Play.Ended> played, double took) {
        schedules++;
        attempts += played.size();
        seconds += took;
        for (Play.Ended attempt : played) {
            long ending = attempt.faults().stream()
                    .filter(one -> one.fault().effect() != Fault.Effect.None)
                    .count();
            for (Play.Struck struck : attempt.faults()) {
                Row row = rows.computeIfAbsent(struck.fault(), _ -> new Row());
                row.count++;
                boolean harmless = attempt.succeeded() || struck.fault().effect() == Fault.Effect.None;
                row.ended += harmless ? 0 : 1;
                row.wentOn += harmless ? 1 : 0;
                if (!harmless && ending == 1) {
                    (attempt.starting() ? row.starting : row.running).add(attempt.seconds());
                }
            }
        }
    }

    String table() {
        StringBuilder table = new StringBuilder("""
                | fault | times | attempt ended with 75 | went on | seconds to the end: median, worst | while starting: median, worst |
                |---|--:|--:|--:|---|---|
                """);
        rows.forEach((fault, row) -> table.append("| %s | %d | %d | %d | %s | %s |%n"
                .formatted(
                        fault.text(),
                        row.count,
                        row.ended,
                        row.wentOn,
                        medianAndWorst(row.running),
                        medianAndWorst(row.starting))));
        return table.append("%n%d schedules, %d attempts, %.0f s: all ended with the weights of the undisturbed run.%n"
                        .formatted(schedules, attempts, seconds))
                .toString();
    }

    private static String medianAndWorst(List<Double> seconds) {
        if (seconds.isEmpty()) {
            return "";
        }
        List<Double> sorted = seconds.stream().sorted().toList();
        return String.format(Locale.ROOT, "%.1f, %.1f", sorted.get(sorted.size() / 2), sorted.getLast());
    }
}
