package dev.rlvr.cli.console;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Draws progress in one line of a terminal.
 *
 * @param unicode whether the terminal shows line drawing characters
 * @param colour whether colours are wanted
 */
record Bar(boolean unicode, boolean colour) {
    private static final int LONGEST = 40;
    private static final String SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
    private static final String PLAIN_SPINNER = "|/-\\";
    private static final String LEVELS = "▁▂▃▄▅▆▇█";

    /** {@code step 12/30  ━━━━━━━━────────  40 %  01:10 left}, at most as wide as given. */
    String steps(String step, double share, String note, int columns) {
        String percent = String.format(Locale.ROOT, "%3.0f %%", 100 * share);
        int others = step.length() + 2 + 2 + percent.length() + (note.isEmpty() ? 0 : 2 + note.length());
        int length = Math.clamp(columns - others, 0, LONGEST);
        int done = (int) Math.round(share * length);
        String drawn = paint("32", repeat('━', '#', done)) + paint("90", repeat('─', '.', length - done));
        String line = paint("1", step) + "  " + drawn + "  " + percent + (note.isEmpty() ? "" : "  " + note);
        return columns < others ? step.substring(0, Math.min(step.length(), columns)) : line;
    }

    /** The figures, cut where the terminal ends, and the rewards of the last steps where there is room. */
    String figures(List<String> figures, Collection<Double> rewards, int columns) {
        StringBuilder line = new StringBuilder();
        for (String figure : figures) {
            if (line.length() + 2 + figure.length() > columns) {
                break;
            }
            line.append(line.isEmpty() ? "" : "  ").append(figure);
        }
        if (unicode && rewards.size() > 1 && line.length() + 2 + rewards.size() <= columns) {
            return line + "  " + paint("32", sparkline(rewards));
        }
        return line.toString();
    }

    /** {@code ⠋ evaluating  00:12}. */
    String waiting(String phase, Duration since) {
        String frames = unicode ? SPINNER : PLAIN_SPINNER;
        char frame = frames.charAt((int) Math.floorMod(since.toMillis() / 200, (long) frames.length()));
        return paint("32", String.valueOf(frame)) + " " + phase + "  " + paint("90", Figures.clock(since));
    }

    /** Each value as a column between the lowest and the highest of them. */
    private static String sparkline(Collection<Double> values) {
        double lowest = values.stream().mapToDouble(v -> v).min().orElse(0);
        double highest = values.stream().mapToDouble(v -> v).max().orElse(1);
        double span = highest > lowest ? highest - lowest : 1;
        StringBuilder line = new StringBuilder();
        for (double value : values) {
            line.append(LEVELS.charAt((int) Math.round((value - lowest) / span * (LEVELS.length() - 1))));
        }
        return line.toString();
    }

    private String repeat(char line, char plain, int times) {
        return String.valueOf(unicode ? line : plain).repeat(times);
    }

    private String paint(String code, String text) {
        return colour && !text.isEmpty() ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }
}
