package dev.rlvr.e2e.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** How long things took, by what was awaited: a table for people, and a file that {@code e2e/run} makes one of. */
final class TimeLine {
    private final Path file;
    private final Map<String, Duration> times = new TreeMap<>();

    TimeLine(Path file) {
        this.file = file;
    }

    synchronized void took(String what, Instant from, Instant to) {
        times.put(what, Duration.between(from, to));
    }

    /** One row a line: what, and seconds. */
    synchronized String table() {
        StringBuilder rows = new StringBuilder();
        times.forEach((what, time) ->
                rows.append(String.format(Locale.ROOT, "| %s | %.1f |%n", what, time.toMillis() / 1000.0)));
        return rows.toString();
    }

    void write() {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, table());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
