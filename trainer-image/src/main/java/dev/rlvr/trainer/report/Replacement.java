package dev.rlvr.trainer.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Puts a whole file in the place of another: a reader sees the old one or the new one. */
final class Replacement {
    private Replacement() {}

    /** Writes beside the file, then renames. */
    static void write(Path file, byte[] content) throws IOException {
        Path temporary = temporary(file);
        Files.write(temporary, content);
        publish(temporary, file);
    }

    /** The name that the new content of a file gets until it is whole. */
    static Path temporary(Path file) {
        return file.resolveSibling("." + file.getFileName() + ".tmp");
    }

    static void publish(Path temporary, Path file) throws IOException {
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
