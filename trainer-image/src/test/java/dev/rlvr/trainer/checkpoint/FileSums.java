package dev.rlvr.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/** Sizes and checksums as a manifest has them, counted by the test itself. */
public final class FileSums {
    private FileSums() {}

    /** Those of all files in a folder. */
    public static Map<String, CheckpointManifest.FileSum> of(Path folder) throws IOException {
        Map<String, CheckpointManifest.FileSum> sums = new HashMap<>();
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                byte[] bytes = Files.readAllBytes(file);
                CRC32C crc = new CRC32C();
                crc.update(bytes);
                sums.put(file.getFileName().toString(), new CheckpointManifest.FileSum(bytes.length, crc.getValue()));
            }
        }
        return sums;
    }
}
