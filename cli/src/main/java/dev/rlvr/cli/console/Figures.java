package dev.rlvr.cli.console;

import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Figures of a run as people read them: the same on a terminal, in a log and in a table. */
public final class Figures {
    private Figures() {}

    /** The live figures of a step, each with its name; what the trainer did not report is left out. */
    static List<String> of(Progress progress) {
        List<String> figures = new ArrayList<>();
        add(figures, "reward %.2f", progress.rewardMean());
        add(figures, "entropy %.3f", progress.entropyMean());
        add(figures, "threshold %.3f", progress.entropyThreshold());
        if (progress.keptTokenFraction() != null) {
            figures.add("kept " + percent(progress.keptTokenFraction()));
        }
        add(figures, "%,.0f tok/s", progress.tokensPerSecond());
        return figures;
    }

    private static void add(List<String> figures, String format, @Nullable Double value) {
        if (value != null) {
            figures.add(String.format(Locale.ROOT, format, value));
        }
    }

    static String step(Progress progress) {
        return "step " + progress.step() + "/" + progress.totalSteps();
    }

    /** Time left by the trainer's estimate, for example {@code 01:10 left}. */
    static Optional<String> left(Progress progress, Instant now) {
        if (progress.estimatedCompletion() == null || progress.step() >= progress.totalSteps()) {
            return Optional.empty();
        }
        try {
            Duration left = Duration.between(now, Instant.parse(progress.estimatedCompletion()));
            return Optional.of(clock(left.isNegative() ? Duration.ZERO : left) + " left");
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    /** {@code 01:10}, or {@code 2:01:10} from an hour on. */
    public static String clock(Duration time) {
        return time.toHours() == 0
                ? String.format(Locale.ROOT, "%02d:%02d", time.toMinutesPart(), time.toSecondsPart())
                : String.format(
                        Locale.ROOT, "%d:%02d:%02d", time.toHours(), time.toMinutesPart(), time.toSecondsPart());
    }

    /** A share as {@code 20.0 %}. */
    public static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    /** How an evaluation was measured: {@code avg@8, 300 problems}. */
    public static String measure(Evaluation evaluation) {
        return "avg@" + evaluation.samples() + ", " + evaluation.problems() + " problems";
    }

    /** Right answers before and after, a line each, in columns; evaluations without a result before the first step are left out. */
    public static List<String> beforeAndAfter(List<Evaluation> evaluations) {
        int name = Math.max(
                17,
                evaluations.stream()
                        .mapToInt(e -> e.name().length() + measure(e).length() + 2)
                        .max()
                        .orElse(0));
        List<String> lines = new ArrayList<>();
        for (Evaluation e : evaluations) {
            if (e.baselineAvgAtK() != null) {
                lines.add(String.format(
                        Locale.ROOT,
                        "%-" + name + "s  %8s  %8s  %+.1f points",
                        e.name() + "  " + measure(e),
                        percent(e.baselineAvgAtK()),
                        percent(e.avgAtK()),
                        100 * (e.avgAtK() - e.baselineAvgAtK())));
            }
        }
        if (!lines.isEmpty()) {
            lines.addFirst(
                    String.format(Locale.ROOT, "%-" + name + "s  %8s  %8s", "held-out accuracy", "before", "after"));
        }
        return lines;
    }
}
