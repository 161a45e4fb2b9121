package dev.rlvr.crds;

import java.time.Duration;
import java.util.regex.Matcher;

/** Durations as the API writes them: {@code 90s}, {@code 1h30m}, {@code 7d}. */
public final class Durations {
    /** At least a second, and short enough for every sum of terms. */
    static final String RULE = "self.matches('^([1-9][0-9]{0,5}[dhms]){1,4}$')";

    /** {@link #RULE} or no time at all. */
    static final String RULE_OR_ZERO = "self == '0s' || " + RULE;

    static final String MESSAGE = "is not a duration; write it as 90s, 1h30m or 7d";
    static final int MAX_LENGTH = 28;

    private static final String PATTERN = "([0-9]{1,6}[dhms])+";

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
