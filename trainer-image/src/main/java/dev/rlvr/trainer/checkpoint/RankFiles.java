package dev.rlvr.trainer.checkpoint;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.checkpoint.CheckpointManifest.FileSum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * How the ranks of a job write one checkpoint: each its own files, then a note of their sums; rank 0 writes the manifest once it has all notes, so
 * that it is complete only when everything is on the disk.
 *
 * @param rank this one, from 0
 * @param size ranks
 * @param patience how long rank 0 waits for the notes of the others
 * @param barrier returns once all ranks have called it
 */
public record RankFiles(int rank, int size, Duration patience, Runnable barrier) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LOOK_EVERY_MILLIS = 20;

    /** The only rank. */
    public static final RankFiles ALONE = new RankFiles(0, 1, Duration.ZERO, () -> {});

    /** Name of this rank's file of a kind. */
    public String name(String kind) {
        return kind + (size == 1 ? "" : "-%d-of-%d".formatted(rank + 1, size)) + ".safetensors";
    }

    boolean first() {
        return rank == 0;
    }

    private static Path note(Path folder, int of) {
        return folder.resolve("rank-%d.json".formatted(of));
    }

    /** Tells rank 0 what this rank has put on the disk. */
    void tell(Path folder, Map<String, FileSum> sums) throws IOException {
        Path partial = folder.resolve(note(folder, rank).getFileName() + ".partial");
        Files.write(partial, JSON.writeValueAsBytes(sums));
        Files.move(partial, note(folder, rank), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Rank 0's own sums and those of all others, for whose notes it waits. */
    Map<String, FileSum> all(Path folder, Map<String, FileSum> own) throws IOException, InterruptedException {
        Map<String, FileSum> sums = new HashMap<>(own);
        long end = System.nanoTime() + patience.toNanos();
        for (int other = 1; other < size; other++) {
            Path note = note(folder, other);
            while (!Files.exists(note)) {
                if (System.nanoTime() > end) {
                    throw new IOException("rank %d has not written its part of %s within %d s"
                            .formatted(other, folder, patience.toSeconds()));
                }
                Thread.sleep(LOOK_EVERY_MILLIS);
            }
            sums.putAll(JSON.readValue(note.toFile(), new TypeReference<Map<String, FileSum>>() {}));
            Files.delete(note);
        }
        return sums;
    }
}
