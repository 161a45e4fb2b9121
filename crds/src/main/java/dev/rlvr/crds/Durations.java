package dev.rlvr.crds;

import java.time.Duration;
import java.util.regex.Matcher;

/** Durations as the API writes them: {@code 90s}, {@code 1h30m}, {@code 7d}. */
public final class Durations {
    static final String PATTERN = "^([0-9]+(d|h|m|s))+$";

    private static final java.util.regex.Pattern TERM = java.util.regex.Pattern.compile("([0-9]+)([dhms])");

    private Durations() {}

    /** Parses a text that the schema has already accepted; terms add up. */
    public static Duration parse(String text) {
        if (!text.matches(PATTERN)) {
            throw new IllegalArgumentException("'" + text + "' is not a duration; write it as 90s, 1h30m or 7d");
        }
        Duration sum = Duration.ZERO;
        Matcher term = TERM.matcher(text);
        while (term.find()) {
            long n = Long.parseLong(term.group(1));
            sum = sum.plus(
                    switch (term.group(2)) {
                        case "d" -> Duration.ofDays(n);
                        case "h" -> Duration.ofHours(n);
                        case "m" -> Duration.ofMinutes(n);
                        default -> Duration.ofSeconds(n);
                    });
        }
        return sum;
    }
}
