package dev.rlvr.e2e.faults;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What came of a schedule.
 *
 * @param schedule in words
 * @param endedAt ISO 8601
 * @param seconds that it took
 * @param load the machine's load average over the minute before its end
 * @param attempts those that ended as they should have
 * @param violation what was not kept to; empty where all was
 */
record Outcome(
        long seed,
        String schedule,
        String endedAt,
        double seconds,
        double load,
        List<Attempted> attempts,
        String violation) {

    /**
     * An attempt that has ended.
     *
     * @param seconds from the first fault that could end it until all had ended; -1 where there was none
     * @param starting whether that fault came before all ranks had met
     * @param why it ended, as its launchers say
     */
    record Attempted(List<Happened> faults, boolean succeeded, double seconds, boolean starting, String why) {
        @Override
        public String toString() {
            String what = faults.isEmpty()
                    ? "no fault"
                    : faults.stream().map(Happened::what).collect(Collectors.joining(" + "));
            return what
                    + (starting ? " (starting)" : "")
                    + (seconds < 0 ? "" : String.format(Locale.ROOT, " -> %.1f s", seconds))
                    + (why.isBlank() ? "" : " '" + why + "'");
        }
    }

    /** A fault that has happened, and to whom. */
    record Happened(Fault fault, String what) {}

    @JsonIgnore
    boolean isRight() {
        return violation.isEmpty();
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "seed %d | %s | %s | %d attempts | %s | %.1f s at load %.0f",
                seed,
                schedule,
                attempts.stream().map(Attempted::toString).collect(Collectors.joining("; ")),
                attempts.size(),
                isRight() ? "succeeded" : "VIOLATION: " + violation,
                seconds,
                load);
    }
}
