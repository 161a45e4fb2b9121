package dev.rlvr.trainer.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of one job: folders {@code step-000050}. A folder is a checkpoint once its {@code manifest.json} is there, which is written
 * last, after everything else is on the disk. What has no manifest, or fails its checksums, is as if it did not exist.
 */
public final class Checkpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MANIFEST = "manifest.json";

    private final Path root;
    private final int keep;

    /** Checkpoints under a folder that need not exist yet; the newest {@code keep} are kept. */
    public Checkpoints(Path root, int keep) {
        this.root = root;
        this.keep = keep;
    }

    /** A complete checkpoint. */
    public record Saved(Path folder, CheckpointManifest manifest) {
        /** A file of the checkpoint. */
        public Path file(String name) {
            return folder.resolve(name);
        }
    }

    /** Writes the files of a checkpoint into a folder. */
    @FunctionalInterface
    public interface Content {
        void write(Path folder) throws IOException;
    }

    /** Makes the manifest of files whose sums are given. */
    @FunctionalInterface
    public interface ManifestOf {
        CheckpointManifest of(Map<String, CheckpointManifest.FileSum> files);
    }

    /** Writes a checkpoint, then removes the oldest beyond those to keep. */
    public Saved save(int step, Content content, ManifestOf manifestOf) throws IOException {
        Path folder = root.resolve("step-%06d".formatted(step));
        deleteTree(folder);
        Files.createDirectories(folder);
        content.write(folder);
        CheckpointManifest manifest = manifestOf.of(sums(folder));
        Path partial = folder.resolve(MANIFEST + ".partial");
        Files.write(partial, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(manifest));
        force(partial);
        Files.move(partial, folder.resolve(MANIFEST), StandardCopyOption.ATOMIC_MOVE);
        prune();
        return new Saved(folder, manifest);
    }

    /** The newest checkpoint whose files are whole. */
    public Optional<Saved> newest() throws IOException {
        for (Path folder : folders().reversed()) {
            Optional<Saved> saved = open(folder);
            if (saved.isPresent()) {
                return saved;
            }
        }
        return Optional.empty();
    }

    /** The checkpoint in a folder, if it is complete and whole. */
    public static Optional<Saved> open(Path folder) throws IOException {
        CheckpointManifest manifest;
        try {
            manifest = JSON.readValue(Files.readAllBytes(folder.resolve(MANIFEST)), CheckpointManifest.class);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        Map<String, CheckpointManifest.FileSum> found = sums(folder);
        for (Map.Entry<String, CheckpointManifest.FileSum> file :
                manifest.files().entrySet()) {
            if (!file.getValue().equals(found.get(file.getKey()))) {
                LOG.warn("ignoring checkpoint {}: {} is damaged or missing", folder, file.getKey());
                return Optional.empty();
            }
        }
        return Optional.of(new Saved(folder, manifest));
    }

    private void prune() throws IOException {
        List<Path> complete = new ArrayList<>();
        for (Path folder : folders()) {
            if (Files.exists(folder.resolve(MANIFEST))) {
                complete.add(folder);
            } else {
                deleteTree(folder);
            }
        }
        for (Path old : complete.subList(0, Math.max(0, complete.size() - keep))) {
            // without its manifest first, so that a crash leaves no half of a checkpoint that looks whole
            Files.deleteIfExists(old.resolve(MANIFEST));
            deleteTree(old);
        }
    }

    private List<Path> folders() throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (var entries = Files.list(root)) {
            return entries.filter(path -> path.getFileName().toString().matches("step-[0-9]{6,}"))
                    .sorted(Comparator.comparingInt(Checkpoints::step))
                    .toList();
        }
    }

    private static int step(Path folder) {
        return Integer.parseInt(folder.getFileName().toString().substring("step-".length()));
    }

    private static Map<String, CheckpointManifest.FileSum> sums(Path folder) throws IOException {
        Map<String, CheckpointManifest.FileSum> sums = new HashMap<>();
        try (var files = Files.list(folder)) {
            for (Path file : files.filter(file -> !file.endsWith(MANIFEST)).toList()) {
                sums.put(file.getFileName().toString(), sum(file));
            }
        }
        return sums;
    }

    private static CheckpointManifest.FileSum sum(Path file) throws IOException {
        CRC32C crc = new CRC32C();
        long bytes = 0;
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                crc.update(ByteBuffer.wrap(buffer, 0, n));
                bytes += n;
            }
        }
        return new CheckpointManifest.FileSum(bytes, crc.getValue());
    }

    private static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private static void deleteTree(Path folder) throws IOException {
        if (Files.exists(folder)) {
            List<Path> all = new ArrayList<>();
            try (var walk = Files.walk(folder)) {
                walk.forEach(all::add);
            }
            for (Path path : all.reversed()) {
                Files.delete(path);
            }
        }
    }
}
