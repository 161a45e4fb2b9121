package dev.rlvr.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** How long things took, by what was awaited: a table for people, and a file that {@code e2e/run} makes one of. */
final class TimeLine {
    private final Path file;
    private final Map<String, Duration> times = new TreeMap<>();
    private final Map<String, Duration> limits = new TreeMap<>();

    TimeLine(Path file) {
        this.file = file;
    }

    synchronized void took(String what, Instant from, Instant to) {
        times.put(what, Duration.between(from, to));
    }

    /** As above, and fails where that was longer than promised. */
    synchronized void tookAtMost(Duration limit, String what, Instant from, Instant to) {
        limits.put(what, limit);
        took(what, from, to);
        assertThat(times.get(what)).as(what).isLessThanOrEqualTo(limit);
    }

    /** One row a line: what, seconds, and the most that is allowed, where that is promised. */
    synchronized String table() {
        StringBuilder rows = new StringBuilder();
        times.forEach((what, time) -> rows.append(String.format(
                Locale.ROOT,
                "| %s | %.1f | %s |%n",
                what,
                time.toMillis() / 1000.0,
                Optional.ofNullable(limits.get(what))
                        .map(Duration::toSeconds)
                        .map(String::valueOf)
                        .orElse(""))));
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
