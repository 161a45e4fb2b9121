package dev.rlvr.trainer.launch;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One rank of this pod, as a process of its own. */
final class RankProcess {
    private static final Logger LOG = LoggerFactory.getLogger(RankProcess.class);

    /** Something that a rank has started may hold its output open after it has ended. */
    private static final long OUTPUT_MILLIS = 1000;

    private final int rank;
    private final Process process;
    private final Path words;
    private volatile boolean killed;

    private RankProcess(int rank, Process process, Path words) {
        this.rank = rank;
        this.process = process;
        this.words = words;
    }

    /**
     * Starts it.
     *
     * @param environment what it has beside the launcher's own
     * @param words file for its termination message
     * @param out gets each line that it writes, with its number before it
     * @param events is told when it has ended
     */
    static RankProcess start(
            int rank,
            RankCommand command,
            Map<String, String> environment,
            Path words,
            PrintStream out,
            Consumer<Event> events)
            throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command.words()).redirectErrorStream(true).redirectInput(new File("/dev/null"));
        builder.environment().putAll(environment);
        // a rank learns from its launcher alone that it is to stop
        builder.environment().remove("RLVR_WATCH_STDIN");
        builder.environment().put("RLVR_TERMINATION_LOG", words.toString());
        RankProcess started = new RankProcess(rank, builder.start(), words);
        started.watch(out, events);
        return started;
    }

    private void watch(PrintStream out, Consumer<Event> events) {
        Thread output = Thread.ofPlatform().daemon().name("output-" + rank).start(() -> pass(out));
        Thread.ofPlatform().daemon().name("end-of-" + rank).start(() -> {
            try {
                int exitValue = process.waitFor();
                output.join(OUTPUT_MILLIS);
                events.accept(new Event.Ended(rank, exitValue));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void pass(PrintStream out) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            String prefix = "[rank " + rank + "] ";
            lines.lines().forEach(line -> out.println(prefix + line));
        } catch (IOException | java.io.UncheckedIOException e) {
            LOG.debug("the output of rank {} broke off", rank, e);
        }
    }

    int rank() {
        return rank;
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Asks it to write a checkpoint and end. */
    void stop() {
        process.destroy();
    }

    /** Ends it, also where it is frozen. */
    void kill() {
        killed = killed || process.isAlive();
        process.destroyForcibly();
    }

    /** What its end means. */
    Verdict verdict(int exitValue) {
        return killed && exitValue > 128
                ? new Verdict(Verdict.Kind.LostPeer, "rank %d did not end by itself".formatted(rank))
                : Verdict.ofRank(rank, exitValue, words());
    }

    private String words() {
        try {
            return Files.exists(words) ? Files.readString(words).strip() : "";
        } catch (IOException e) {
            return "its last words cannot be read: " + e.getMessage();
        }
    }
}
