package dev.rlvr.e2e.faults;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A folder of outcomes, which several processes play for at the same time, and to which later runs add. Who plays a seed holds a lock on the byte
 * of that number, so that a player that is killed leaves its seed to others.
 */
final class Results implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String OUTCOMES = "outcomes.jsonl";

    private final Path folder;
    private final FileChannel seeds;

    private Results(Path folder, FileChannel seeds) {
        this.folder = folder;
        this.seeds = seeds;
    }

    static Results open(Path folder) throws IOException {
        Files.createDirectories(folder);
        return new Results(
                folder,
                FileChannel.open(folder.resolve("seeds.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE));
    }

    /** A seed's lock; empty where it has ended as it should have, or another plays it. */
    Optional<FileLock> claim(long seed) throws IOException {
        FileLock lock = seeds.tryLock(seed, 1, false);
        if (lock == null) {
            return Optional.empty();
        }
        if (outcomes().stream().anyMatch(outcome -> outcome.seed() == seed && outcome.isRight())) {
            lock.release();
            return Optional.empty();
        }
        return Optional.of(lock);
    }

    /** Adds a line: one call that appends, so that nobody else's comes between. */
    void add(Outcome outcome) throws IOException {
        Files.writeString(
                folder.resolve(OUTCOMES),
                JSON.writeValueAsString(outcome) + "\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /** All so far, in the order in which they ended. */
    List<Outcome> outcomes() throws IOException {
        List<Outcome> outcomes = new ArrayList<>();
        if (Files.exists(folder.resolve(OUTCOMES))) {
            for (String line : Files.readAllLines(folder.resolve(OUTCOMES))) {
                outcomes.add(JSON.readValue(line, Outcome.class));
            }
        }
        return outcomes;
    }

    /** Weights that were kept under a name, or those of a run that is made for them; other players wait for it. */
    Path weights(String name, Run run) throws IOException, InterruptedException, Violation {
        Path weights = folder.resolve(name + ".safetensors");
        try (FileChannel file = FileChannel.open(
                        folder.resolve("weights.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = file.lock()) {
            if (Files.notExists(weights)) {
                Path made = folder.resolve(name + ".new");
                run.into(made);
                Files.move(made, weights);
            }
        }
        return weights;
    }

    /** Makes weights. */
    interface Run {
        void into(Path file) throws IOException, InterruptedException, Violation;
    }

    /** Keeps what the launchers of a schedule have written. */
    void keepLogs(Outcome outcome, Path scratch) throws IOException {
        Path kept = folder.resolve(
                "seed-%d-%s".formatted(outcome.seed(), outcome.endedAt().replace(":", "")));
        Files.createDirectories(kept);
        try (Stream<Path> files = Files.list(scratch)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, kept.resolve(file.getFileName()));
            }
        }
    }

    @Override
    public void close() throws IOException {
        seeds.close();
    }
}
