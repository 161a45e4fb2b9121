package dev.rlvr.e2e.faults;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What came of the faults, by kind, and of the schedules; of one that was played several times, the last counts. */
final class Summary {
    private final Map<Fault, Row> rows = new EnumMap<>(Fault.class);
    private final Collection<Outcome> last;
    private final List<Outcome> violations;

    /** Faults of a kind: how many, what became of their attempts, and seconds to the end of those that had no other fault. */
    private static final class Row {
        private int count;
        private int ended;
        private int wentOn;
        private final List<Double> running = new ArrayList<>();
        private final List<Double> starting = new ArrayList<>();
    }

    private Summary(Collection<Outcome> last, List<Outcome> violations) {
        this.last = last;
        this.violations = violations;
    }

    /** Sums up outcomes, in the order in which they ended. */
    static Summary of(List<Outcome> outcomes) {
        Map<Long, Outcome> last = new TreeMap<>();
        outcomes.forEach(outcome -> last.put(outcome.seed(), outcome));
        Summary summary = new Summary(
                last.values(),
                outcomes.stream().filter(outcome -> !outcome.isRight()).toList());
        last.values().stream().flatMap(outcome -> outcome.attempts().stream()).forEach(summary::add);
        return summary;
    }

    private void add(Outcome.Attempted attempt) {
        long ending = attempt.faults().stream()
                .filter(one -> one.fault().effect() != Fault.Effect.None)
                .count();
        for (Outcome.Happened happened : attempt.faults()) {
            Row row = rows.computeIfAbsent(happened.fault(), _ -> new Row());
            row.count++;
            boolean harmless = attempt.succeeded() || happened.fault().effect() == Fault.Effect.None;
            row.ended += harmless ? 0 : 1;
            row.wentOn += harmless ? 1 : 0;
            if (!harmless && ending == 1) {
                (attempt.starting() ? row.starting : row.running).add(attempt.seconds());
            }
        }
    }

    boolean allRight() {
        return last.stream().allMatch(Outcome::isRight);
    }

    String text() {
        StringBuilder text = new StringBuilder("""

                | fault | times | attempt ended with 75 | went on | seconds to the end: median, worst (of) | while starting: the same |
                |---|--:|--:|--:|--:|--:|
                """);
        rows.forEach((fault, row) -> text.append("| %s | %d | %d | %d | %s | %s |%n"
                .formatted(
                        fault.text(),
                        row.count,
                        row.ended,
                        row.wentOn,
                        medianAndWorst(row.running),
                        medianAndWorst(row.starting))));
        text.append(totals());
        for (Outcome violation : violations) {
            text.append("%nVIOLATION %s%nTo play it again: e2e/faults/run.sh 1 %d%n"
                    .formatted(violation, violation.seed()));
        }
        return text.toString();
    }

    private String totals() {
        long right = last.stream().filter(Outcome::isRight).count();
        return String.format(
                Locale.ROOT,
                "%n%d of %d schedules ended with the weights of the undisturbed run, after %d attempts with %d faults; seconds a schedule %s, load %s.%n",
                right,
                last.size(),
                last.stream().mapToInt(outcome -> outcome.attempts().size()).sum(),
                rows.values().stream().mapToInt(row -> row.count).sum(),
                medianAndWorst(
                        last.stream().mapToDouble(Outcome::seconds).boxed().toList()),
                medianAndWorst(last.stream().mapToDouble(Outcome::load).boxed().toList()));
    }

    private static String medianAndWorst(List<Double> values) {
        if (values.isEmpty()) {
            return "";
        }
        List<Double> sorted = values.stream().sorted().toList();
        return String.format(
                Locale.ROOT, "%.1f, %.1f (%d)", sorted.get(sorted.size() / 2), sorted.getLast(), sorted.size());
    }
}
