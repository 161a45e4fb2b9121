package dev.rlvr.cli.console;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import java.io.PrintStream;
import java.time.Instant;

/** One line per step and per phase, for logs and pipes. */
final class PlainScreen implements Screen {
    private final PrintStream out;
    private String phase = "";
    private int step = -1;

    PlainScreen(PrintStream out) {
        this.out = out;
    }

    @Override
    public void say(String line) {
        out.println(line);
    }

    @Override
    public void progress(RLVRJobStatus status, String newPhase) {
        Progress progress = status.progress();
        if (progress != null && progress.step() != step) {
            boolean first = step < 0;
            step = progress.step();
            // What an earlier command showed last is no news.
            if (step > 0 && !(first && Instant.parse(progress.updatedAt()).isBefore(startOf(status)))) {
                out.println(line(progress, Instant.parse(progress.updatedAt())));
            }
        }
        if (!newPhase.equals(phase)) {
            phase = newPhase;
            if (!phase.isEmpty() && !phase.equals("training")) {
                out.println(phase + " ...");
            }
        }
    }

    private static Instant startOf(RLVRJobStatus status) {
        return status.attemptStartTime() == null ? Instant.MIN : Instant.parse(status.attemptStartTime());
    }

    static String line(Progress progress, Instant now) {
        StringBuilder line = new StringBuilder(Figures.step(progress));
        Figures.of(progress).forEach(figure -> line.append(' ').append(figure));
        Figures.left(progress, now).ifPresent(left -> line.append(' ').append(left));
        return line.toString();
    }

    @Override
    public void close() {
        out.flush();
    }
}
