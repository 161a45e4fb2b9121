package dev.rlvr.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a run looks like while it goes on. */
class ScreenTest {
    private static final Instant NOW = Instant.parse("2026-05-01T12:00:00Z");

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final Screen plain = new PlainScreen(new PrintStream(printed, true, StandardCharsets.UTF_8));

    @Test
    void aLogGetsOneLineForEachStepAndPhase() {
        plain.progress(status(null), "evaluating");
        plain.progress(status(progress(11)), "training");
        plain.progress(status(progress(11)), "training");
        plain.progress(status(progress(12)), "training");

        assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualToNormalizingNewlines("""
                        evaluating ...
                        step 11/30 reward 0.71 entropy 0.081 threshold 0.012 kept 20.0 % 2,310 tok/s 01:10 left
                        step 12/30 reward 0.71 entropy 0.081 threshold 0.012 kept 20.0 % 2,310 tok/s 01:10 left
                        """);
    }

    @Test
    void whatTheTrainerDoesNotReportIsLeftOut() {
        Progress bare = new Progress(3, 30, 0.5, null, null, null, null, null, null, null, NOW.toString());

        assertThat(PlainScreen.line(bare, NOW)).isEqualTo("step 3/30 reward 0.50");
    }

    @Test
    void anEvaluationIsToldOnce() {
        Narrator narrator = new Narrator(plain);
        Evaluation before = new Evaluation("greedy", 0, 300, 1, 0.34, 0.34, 0.34, 0.34);

        narrator.show(status(null, before), "evaluating");
        narrator.show(status(null, before), "evaluating");

        assertThat(printed.toString(StandardCharsets.UTF_8))
                .containsOnlyOnce("evaluation after step 0: greedy 34.0 % (avg@1, 300 problems)");
    }

    @Test
    void theBarIsNeverWiderThanTheTerminal() {
        for (int columns = 5; columns < 130; columns++) {
            StringBuilder out = new StringBuilder();
            int width = columns;
            LiveScreen live = new LiveScreen(
                    out, () -> {}, () -> width, () -> {}, new Bar(true, false), Clock.fixed(NOW, ZoneOffset.UTC));

            live.progress(status(progress(11)), "training");
            live.progress(status(progress(12)), "training");

            String text =
                    out.toString().replaceAll("\u001b\\[[0-9;]*[A-Za-z]", "").replace('\r', '\n');
            assertThat(text.lines()).as("%d columns", columns).allMatch(line -> line.length() < width);
        }
    }

    @Test
    void theBarShowsStepShareAndTimeLeft() {
        assertThat(new Bar(true, false).steps("step 12/30", 0.4, "01:10 left", 48))
                .isEqualTo("step 12/30  ━━━━━━━──────────   40 %  01:10 left");
        assertThat(new Bar(false, false).steps("step 15/30", 0.5, "", 40)).startsWith("step 15/30  ##########");
    }

    @Test
    void beforeAndAfterStandInColumns() {
        List<String> lines = Figures.beforeAndAfter(List.of(
                new Evaluation("greedy", 30, 300, 1, 0.993, 1, 1, 0.34),
                new Evaluation("sampled", 30, 300, 8, 0.968, 1, 1, 0.497),
                new Evaluation("never-before", 30, 300, 8, 0.968, 1, 1, null)));

        assertThat(lines)
                .containsExactly(
                        "held-out accuracy                    before     after",
                        "greedy  avg@1, 300 problems          34.0 %    99.3 %  +65.3 points",
                        "sampled  avg@8, 300 problems         49.7 %    96.8 %  +47.1 points");
    }

    private static Progress progress(int step) {
        return new Progress(
                step,
                30,
                0.71,
                0.081,
                0.012,
                0.2,
                56.0,
                0.0,
                2310.4,
                NOW.plus(Duration.ofSeconds(70)).toString(),
                NOW.toString());
    }

    private static RLVRJobStatus status(@Nullable Progress progress, Evaluation... evaluations) {
        return new RLVRJobStatus(
                1L, State.Running, List.of(), 1, null, progress, null, List.of(evaluations), null, null, null);
    }
}
