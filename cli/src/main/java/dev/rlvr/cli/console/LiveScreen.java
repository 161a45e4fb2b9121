package dev.rlvr.cli.console;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import dev.rlvr.crds.RLVRJobStatus.State;
import java.io.Console;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** A bar and a line of figures at the foot of a terminal, drawn again and again; what is said scrolls away above them. */
final class LiveScreen implements Screen {
    private static final String START_OF_LINE = "\r";
    private static final String CLEAR_TO_END = "\u001b[J";
    private static final String UP = "\u001b[1A";

    private final Appendable out;
    private final Runnable flush;
    private final IntSupplier width;
    private final Runnable close;
    private final Bar bar;
    private final Clock clock;
    private final Deque<Double> rewards = new ArrayDeque<>();
    private boolean closed;
    private String phase = "";
    private Instant phaseSince;
    private @Nullable RLVRJobStatus shown;

    LiveScreen(Appendable out, Runnable flush, IntSupplier width, Runnable close, Bar bar, Clock clock) {
        this.out = out;
        this.flush = flush;
        this.width = width;
        this.close = close;
        this.bar = bar;
        this.clock = clock;
        this.phaseSince = clock.instant();
    }

    /** The terminal of this process, where it has one that can move its cursor. */
    static Optional<LiveScreen> ofTerminal() {
        boolean terminal =
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        if (!terminal || "dumb".equals(System.getenv("TERM"))) {
            return Optional.empty();
        }
        try {
            Terminal system = TerminalBuilder.builder().system(true).build();
            boolean unicode = system.encoding().newEncoder().canEncode('━');
            return Optional.of(new LiveScreen(
                    system.writer(),
                    system::flush,
                    () -> system.getColumns() > 0 ? system.getColumns() : 80,
                    () -> close(system),
                    new Bar(unicode, System.getenv("NO_COLOR") == null),
                    Clock.systemUTC()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static void close(Terminal terminal) {
        try {
            terminal.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void say(String line) {
        print(START_OF_LINE + CLEAR_TO_END + line + "\n");
        if (shown != null) {
            draw(shown);
        }
        flush.run();
    }

    @Override
    public synchronized void progress(RLVRJobStatus status, String newPhase) {
        if (!newPhase.equals(phase)) {
            phase = newPhase;
            phaseSince = clock.instant();
        }
        remember(status.progress());
        shown = status;
        print(START_OF_LINE + CLEAR_TO_END);
        draw(status);
        flush.run();
    }

    private void remember(@Nullable Progress progress) {
        boolean news = progress != null
                && progress.rewardMean() != null
                && (shown == null
                        || shown.progress() == null
                        || shown.progress().step() != progress.step());
        if (news) {
            rewards.addLast(progress.rewardMean());
            if (rewards.size() > 24) {
                rewards.removeFirst();
            }
        }
    }

    /** Two lines, after which the cursor is back at the start of the first. */
    private void draw(RLVRJobStatus status) {
        Instant now = clock.instant();
        Progress progress = status.progress();
        // The last column stays free: a terminal that wraps there would break the two lines into three.
        int columns = width.getAsInt() - 1;
        String first;
        String second;
        if (progress == null || progress.step() == 0) {
            first = bar.waiting(phaseOr(status), Duration.between(phaseSince, now));
            second = "";
        } else {
            String note = phase.isEmpty() || phase.equals("training")
                    ? Figures.left(progress, now).orElse("")
                    : phase;
            first = bar.steps(Figures.step(progress), (double) progress.step() / progress.totalSteps(), note, columns);
            second = bar.figures(Figures.of(progress), rewards, columns);
        }
        print(first + "\n" + second + START_OF_LINE + UP);
    }

    private String phaseOr(RLVRJobStatus status) {
        if (!phase.isEmpty()) {
            return phase;
        }
        // A process that runs but has not said anything yet is still starting.
        return status.state() == null || status.state() == State.Running
                ? "starting"
                : status.state().name().toLowerCase(Locale.ROOT);
    }

    private void print(String text) {
        try {
            out.append(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public synchronized void close() {
        if (shown != null) {
            print(START_OF_LINE + CLEAR_TO_END);
            Progress progress = shown.progress();
            if (progress != null && progress.step() > 0) {
                draw(shown);
                print("\n\n");
            }
            shown = null;
        }
        flush.run();
        if (!closed) {
            closed = true;
            close.run();
        }
    }
}
