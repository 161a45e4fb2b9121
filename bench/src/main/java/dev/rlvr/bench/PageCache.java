package dev.rlvr.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What the kernel keeps of files in memory. */
final class PageCache {
    private PageCache() {}

    /** Lets go of all files under a folder, so that reading them reads the disk; they must have been forced to it. */
    static void drop(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path file : tree.filter(Files::isRegularFile).toList()) {
                // copying no block with this flag is how dd is told to do just that
                Process dd = new ProcessBuilder("dd", "if=" + file, "iflag=nocache", "count=0")
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                if (dd.waitFor() != 0) {
                    throw new IOException("dd cannot drop " + file + " from the page cache");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
