package dev.rlvr.trainer.rollout.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.apache.commons.io.FileUtils;

/**
 * The weights that servers read, as Hugging Face folders {@code version-12} of a folder that they see under the same path. The newest two are
 * kept: a slow server may still be reading the older one.
 */
final class WeightsFolder {
    private static final int KEPT = 2;

    private final Path root;
    private final String run;
    private final WeightsExport export;
    private final Role role;
    private final Deque<Version> written = new ArrayDeque<>();

    /**
     * Weights that servers can read.
     *
     * @param name by which servers tell what they have; no other run uses it
     */
    record Version(String name, Path folder) {}

    /**
     * @param run distinguishes this run from all others: a server may still have another run's weights of the same step
     * @param role of this rank: one writes, the others only know what is written
     */
    WeightsFolder(Path root, String run, WeightsExport export, Role role) {
        this.root = root.toAbsolutePath().normalize();
        this.run = run;
        this.export = export;
        this.role = role;
    }

    /** Writes the weights after so many steps, and removes versions that are too old. */
    Version write(int step) throws IOException {
        if (written.isEmpty() && role.givesWeights()) {
            // what a run before this one left
            FileUtils.deleteDirectory(root.toFile());
            Files.createDirectories(root);
        }
        Version version = new Version("step-" + step + "-" + run, root.resolve("version-" + step));
        export.to(version.folder());
        written.addLast(version);
        while (written.size() > KEPT) {
            remove(written.removeFirst().folder());
        }
        return version;
    }

    /** What was written last. */
    Optional<Version> newest() {
        return Optional.ofNullable(written.peekLast());
    }

    /** Removes everything that was written. */
    void delete() throws IOException {
        if (!written.isEmpty()) {
            remove(root);
        }
    }

    private void remove(Path folder) throws IOException {
        if (role.givesWeights()) {
            FileUtils.deleteDirectory(folder.toFile());
        }
    }
}
