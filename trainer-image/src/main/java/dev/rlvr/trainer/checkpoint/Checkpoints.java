package dev.rlvr.trainer.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.zip.CRC32C;
import org.apache.commons.io.FileUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of one job: folders {@code step-000050}. A folder is a checkpoint once its {@code manifest.json} is there, which is written
 * last, after everything else is on the disk. What has no manifest, or fails its checksums, is as if it did not exist.
 */
public final class Checkpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .build();
    private static final String MANIFEST = "manifest.json";

    /** Checksum of the manifest itself. */
    private static final String SEAL = "crc32c";

    private final Path root;
    private final int keep;
    private final SequencedMap<String, byte[]> description;
    private final Set<Path> damaged = new HashSet<>();

    /** Checkpoints under a folder that need not exist yet; the newest {@code keep} are kept. */
    public Checkpoints(Path root, int keep) {
        this(root, keep, new LinkedHashMap<>());
    }

    /**
     * As above, for writing checkpoints that are models by themselves.
     *
     * @param description files that say what the model is, by name; each checkpoint gets them
     */
    public Checkpoints(Path root, int keep, SequencedMap<String, byte[]> description) {
        this.root = root;
        this.keep = keep;
        this.description = description;
    }

    /** A complete checkpoint. */
    public record Saved(Path folder, CheckpointManifest manifest) {
        /** A file of the checkpoint. */
        public Path file(String name) {
            return folder.resolve(name);
        }

        /** The files of a kind, one for each rank that wrote: {@code model.safetensors}, or {@code model-1-of-4.safetensors}. */
        public List<Path> files(String kind) {
            return manifest.files().keySet().stream()
                    .filter(name -> name.matches(kind + "(-\\d+-of-\\d+)?\\.safetensors"))
                    .sorted()
                    .map(folder::resolve)
                    .toList();
        }
    }

    /** Writes the files of a checkpoint into a folder and forces them to the disk; says what it wrote. */
    @FunctionalInterface
    public interface Content {
        Map<String, CheckpointManifest.FileSum> write(Path folder) throws IOException, InterruptedException;
    }

    /** Makes the manifest of files whose sums are given. */
    @FunctionalInterface
    public interface ManifestOf {
        CheckpointManifest of(Map<String, CheckpointManifest.FileSum> files);
    }

    /** The folder of a checkpoint that is about to be written: empty. */
    Path prepare(int step) throws IOException {
        Path folder = folder(step);
        FileUtils.deleteDirectory(folder.toFile());
        Files.createDirectories(folder);
        return folder;
    }

    Path folder(int step) {
        return root.resolve("step-%06d".formatted(step));
    }

    /** Writes a checkpoint, then removes the oldest beyond those to keep. */
    public Saved save(int step, Content content, ManifestOf manifestOf) throws IOException, InterruptedException {
        prepare(step);
        return complete(step, content, manifestOf);
    }

    /** As {@link #save}, in a folder that {@link #prepare} has made. */
    Saved complete(int step, Content content, ManifestOf manifestOf) throws IOException, InterruptedException {
        Path folder = folder(step);
        Map<String, CheckpointManifest.FileSum> files = new HashMap<>(content.write(folder));
        for (Map.Entry<String, byte[]> file : description.entrySet()) {
            Path path = folder.resolve(file.getKey());
            Files.write(path, file.getValue());
            force(path);
            files.put(file.getKey(), sum(path));
        }
        CheckpointManifest manifest = manifestOf.of(files);
        Path partial = folder.resolve(MANIFEST + ".partial");
        ObjectNode sealed = JSON.valueToTree(manifest);
        sealed.put(SEAL, seal(manifest));
        Files.write(partial, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(sealed));
        force(partial);
        Files.move(partial, folder.resolve(MANIFEST), StandardCopyOption.ATOMIC_MOVE);
        // the names too: older checkpoints go once this one cannot be lost
        forceFolder(folder);
        forceFolder(root);
        damaged.remove(folder);
        prune();
        return new Saved(folder, manifest);
    }

    /** The newest checkpoint whose files are whole. Newer ones that are not go with the next {@link #save}. */
    public Optional<Saved> newest() throws IOException {
        for (Saved candidate : complete()) {
            if (whole(candidate, 0, 1)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /** All checkpoints that have a whole manifest, the newest first; their files need not be whole. */
    public List<Saved> complete() throws IOException {
        List<Saved> complete = new ArrayList<>();
        for (Path folder : folders().reversed()) {
            manifest(folder)
                    .ifPresentOrElse(manifest -> complete.add(new Saved(folder, manifest)), () -> damaged.add(folder));
        }
        return complete;
    }

    /** The checkpoint after so many steps, which another rank has found complete. */
    public Saved found(int step) throws IOException {
        Path folder = folder(step);
        return new Saved(
                folder,
                manifest(folder)
                        .orElseThrow(() -> new IOException(folder + " is damaged, though another rank has read it")));
    }

    /** Whether a share of a checkpoint's files is whole: every {@code of}-th file, from the {@code share}-th on. What is not goes with the next {@link #save}. */
    public boolean whole(Saved saved, int share, int of) throws IOException {
        List<String> files = saved.manifest().files().keySet().stream().sorted().toList();
        for (int i = share; i < files.size(); i += of) {
            if (!isWhole(saved, files.get(i))) {
                damaged.add(saved.folder());
                return false;
            }
        }
        return true;
    }

    private static boolean isWhole(Saved saved, String name) throws IOException {
        Path file = saved.file(name);
        if (Files.isRegularFile(file)
                && sum(file).equals(saved.manifest().files().get(name))) {
            return true;
        }
        LOG.warn("ignoring checkpoint {}: {} is damaged or missing", saved.folder(), name);
        return false;
    }

    /** The checkpoint in a folder, if it is complete and whole. */
    public static Optional<Saved> open(Path folder) throws IOException {
        Optional<Saved> saved = manifest(folder).map(manifest -> new Saved(folder, manifest));
        if (saved.isPresent()) {
            for (String name : saved.get().manifest().files().keySet()) {
                if (!isWhole(saved.get(), name)) {
                    return Optional.empty();
                }
            }
        }
        return saved;
    }

    private static Optional<CheckpointManifest> manifest(Path folder) throws IOException {
        try {
            Optional<CheckpointManifest> read = parse(Files.readAllBytes(folder.resolve(MANIFEST)));
            if (read.isEmpty()) {
                LOG.warn("ignoring checkpoint {}: its {} is damaged", folder, MANIFEST);
            }
            return read;
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    private static Optional<CheckpointManifest> parse(byte[] text) throws IOException {
        try {
            if (JSON.readTree(text) instanceof ObjectNode object) {
                long seal = object.path(SEAL).asLong(-1);
                CheckpointManifest manifest = JSON.treeToValue(object.without(SEAL), CheckpointManifest.class);
                return Optional.of(manifest).filter(m -> seal(m) == seal);
            }
            return Optional.empty();
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    private static long seal(CheckpointManifest manifest) {
        try {
            CRC32C crc = new CRC32C();
            crc.update(JSON.writeValueAsBytes(manifest));
            return crc.getValue();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private void prune() throws IOException {
        List<Path> complete = new ArrayList<>();
        for (Path folder : folders()) {
            if (Files.exists(folder.resolve(MANIFEST)) && !damaged.contains(folder)) {
                complete.add(folder);
            } else {
                FileUtils.deleteDirectory(folder.toFile());
            }
        }
        for (Path old : complete.subList(0, Math.max(0, complete.size() - keep))) {
            // without its manifest first, so that a crash leaves no half of a checkpoint that looks whole
            Files.deleteIfExists(old.resolve(MANIFEST));
            FileUtils.deleteDirectory(old.toFile());
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

    private static void forceFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
