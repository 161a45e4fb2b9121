package dev.rlvr.trainer.report;

import java.io.IOException;
import java.nio.file.Path;

/** {@code metrics.jsonl}: one line a finished step. */
public final class MetricsFile {
    private final JsonLines lines;

    /** The file, which need not exist yet; its folder must. */
    public MetricsFile(Path file) {
        lines = new JsonLines(file);
    }

    /** Adds the line of a step that is finished. */
    public void append(StepMetrics metrics) throws IOException {
        lines.append(metrics.toJson());
    }

    /** Drops the lines of steps that a resumed run does again, and a line that a killed one left torn. */
    public void truncateAfter(int step) throws IOException {
        lines.truncateAfter(step);
    }
}
