package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import dev.rlvr.trainer.report.StatusFile;
import dev.rlvr.trainer.report.StepLog;
import dev.rlvr.trainer.report.TrainerStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunReportTest {
    private static final String TIME = "2026-01-01T00:00:00Z";

    @TempDir
    private Path work;

    @Test
    void anAttemptThatGoesOnShowsWhatTheEarlierOneReached() throws IOException {
        earlier(5, 4);

        TrainerStatus shown = shownAfterStartAt(5);

        assertThat(shown.progress()).isEqualTo(progress(5));
        assertThat(shown.checkpoint()).isEqualTo(checkpoint(4));
        assertThat(shown.phase()).isEqualTo(TrainerStatus.Phase.LOADING);
        assertThat(shown.evaluation()).extracting(Evaluation::step).containsExactly(0);
    }

    @Test
    void stepsThatAreDoneAgainAreNotShown() throws IOException {
        earlier(5, 4);

        TrainerStatus shown = shownAfterStartAt(4);

        assertThat(shown.progress()).isNull();
        assertThat(shown.checkpoint()).isEqualTo(checkpoint(4));
    }

    private void earlier(int step, int checkpoint) throws IOException {
        try (RunReport report = report(0)) {
            report.evaluation(new Evaluation("greedy", 0, 10, 1, 0.5, 0.5, 0.5, null));
        }
        TrainerStatus before = new StatusFile(work.resolve(RunReport.STATUS)).read();
        try (StatusFile file = new StatusFile(work.resolve(RunReport.STATUS))) {
            file.publish(before.with(progress(step)).with(checkpoint(checkpoint)));
        }
    }

    private TrainerStatus shownAfterStartAt(int doneSteps) throws IOException {
        try (RunReport report = report(doneSteps)) {
            report.phase(TrainerStatus.Phase.LOADING);
        }
        return new StatusFile(work.resolve(RunReport.STATUS)).read();
    }

    private RunReport report(int doneSteps) throws IOException {
        return new RunReport(
                work,
                doneSteps,
                10,
                new StepLog("default/small", 1, 10),
                List.of(new StatusFile(work.resolve(RunReport.STATUS))),
                InstantSource.system());
    }

    private static Progress progress(int step) {
        return new Progress(step, 10, 0.5, 0.1, 0.0, 0.2, 50.0, 0.0, 100.0, TIME, TIME);
    }

    private static Checkpoint checkpoint(int step) {
        return new Checkpoint(step, "checkpoints/step-%06d".formatted(step), TIME);
    }
}
