package dev.rlvr.cli.local;

import com.fasterxml.jackson.core.type.TypeReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Which processes train in a work folder, on disk: where this command is killed, the next one finds the trainers that it left behind. A
 * process is known by its number and its start time, since numbers are used again.
 */
final class TrainerRecord {
    /** The operating system tells start times from a boot time that moves with corrections of the clock. */
    private static final Duration TOLERANCE = Duration.ofSeconds(2);

    private final Path file;

    TrainerRecord(Path file) {
        this.file = file;
    }

    private record Entry(long pid, long startedAtMillis) {}

    void record(List<Process> trainers) throws IOException {
        Json.replace(
                file,
                trainers.stream()
                        .map(process -> new Entry(
                                process.pid(), startOf(process.toHandle()).toEpochMilli()))
                        .toList());
    }

    /** Trainers of an earlier command that still run. */
    List<ProcessHandle> leftBehind() throws IOException {
        if (!Files.exists(file)) {
            return List.of();
        }
        return Json.MAPPER.readValue(file.toFile(), new TypeReference<List<Entry>>() {}).stream()
                .flatMap(entry -> alive(entry).stream())
                .toList();
    }

    private static Optional<ProcessHandle> alive(Entry entry) {
        return ProcessHandle.of(entry.pid())
                .filter(ProcessHandle::isAlive)
                .filter(process -> Duration.between(Instant.ofEpochMilli(entry.startedAtMillis()), startOf(process))
                                .abs()
                                .compareTo(TOLERANCE)
                        <= 0);
    }

    private static Instant startOf(ProcessHandle process) {
        return process.info().startInstant().orElse(Instant.EPOCH);
    }
}
