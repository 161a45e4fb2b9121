package dev.rlvr.cli.local;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The folder that a local run writes everything to, held by one command at a time. */
public final class WorkFolder implements AutoCloseable {
    private final Path path;
    private final FileChannel lockFile;

    private WorkFolder(Path path, FileChannel lockFile) {
        this.path = path;
        this.lockFile = lockFile;
    }

    /**
     * Creates the folder where it is absent and holds it until closed.
     *
     * @throws UserException if it cannot be written, is held by another command, or holds something else
     */
    public static WorkFolder open(Path path) {
        try {
            refuseForeign(path);
            Files.createDirectories(path);
            FileChannel lockFile = FileChannel.open(
                    path.resolve(".lock"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            lock(path, lockFile);
            return new WorkFolder(path.toAbsolutePath().normalize(), lockFile);
        } catch (IOException e) {
            throw new UserException("--work: the work folder " + path + " cannot be written: " + reason(e)
                    + "; make it writable or choose another folder");
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName().replaceAll("(FileSystem)?Exception$", "") + " (" + e.getMessage() + ")";
    }

    private static void refuseForeign(Path path) throws IOException {
        if (!Files.isDirectory(path) || Files.exists(path.resolve("job.yaml"))) {
            return;
        }
        try (Stream<Path> content = Files.list(path)) {
            if (content.anyMatch(file -> !file.endsWith(".lock"))) {
                throw new UserException(
                        "--work: " + path + " is not empty and is no work folder of a run; choose another folder");
            }
        }
    }

    private static void lock(Path path, FileChannel lockFile) throws IOException {
        if (!tryLock(lockFile)) {
            ByteBuffer owner = ByteBuffer.allocate(32);
            lockFile.read(owner, 0);
            String pid = new String(owner.array(), 0, owner.position(), StandardCharsets.US_ASCII).strip();
            lockFile.close();
            throw new UserException("--work: the work folder " + path + " is in use by another rlvr"
                    + (pid.isEmpty() ? "" : " (process " + pid + ")")
                    + "; wait for it, stop it, or choose another folder");
        }
        lockFile.truncate(0);
        lockFile.write(
                ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
    }

    private static boolean tryLock(FileChannel lockFile) throws IOException {
        try {
            @Nullable FileLock lock = lockFile.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** The same folder, emptied: what an earlier run wrote is kept beside it, in the folder returned. */
    public Optional<Path> setAside() throws IOException {
        if (!Files.exists(job())) {
            return Optional.empty();
        }
        Path kept = path;
        for (int n = 1; Files.exists(kept); n++) {
            kept = path.resolveSibling(path.getFileName() + ".before-" + n);
        }
        Files.createDirectory(kept);
        try (Stream<Path> content = Files.list(path)) {
            // The manifest goes last: a folder without one would be taken for somebody else's.
            for (Path file : content.filter(file -> !file.endsWith(".lock") && !file.equals(job()))
                    .toList()) {
                Files.move(file, kept.resolve(file.getFileName()));
            }
            Files.move(job(), kept.resolve(job().getFileName()));
        }
        return Optional.of(kept);
    }

    /** The folder, absolute. */
    public Path path() {
        return path;
    }

    Path job() {
        return path.resolve("job.yaml");
    }

    /** Which commits the job's hf:// sources are; absent where it has none. */
    public Path sources() {
        return path.resolve("sources.json");
    }

    Path logs() {
        return path.resolve("logs");
    }

    /** Output of a trainer; the first pod's has the shorter name, for most jobs have one. */
    public Path log(int attempt, int index) {
        return logs().resolve("attempt-" + attempt + pod(index) + ".log");
    }

    /** Output of a rollout server, of all times that it was started. */
    public Path serverLog(int index) {
        return logs().resolve("server-" + index + ".log");
    }

    Path lastWords(int attempt, int index) {
        return logs().resolve("attempt-" + attempt + pod(index) + ".error");
    }

    private static String pod(int index) {
        return index == 0 ? "" : "-pod-" + index;
    }

    TrainerRecord trainers() {
        return new TrainerRecord(path.resolve("trainers.json"));
    }

    /** The job that the folder belongs to, where there is one yet. */
    public Optional<RLVRJob> storedJob() {
        return Files.exists(job()) ? Optional.of(Manifest.read(job())) : Optional.empty();
    }

    void store(RLVRJob job) throws IOException {
        Path next = path.resolve("job.yaml.next");
        Files.writeString(next, Manifest.write(job));
        Files.move(next, job(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** The job's status as last written. */
    public Optional<RLVRJobStatus> storedStatus() throws IOException {
        return readStatus(path);
    }

    /** The status in any work folder, whether or not a command holds it. */
    public static Optional<RLVRJobStatus> readStatus(Path folder) throws IOException {
        Path file = folder.resolve("status.json");
        return Files.exists(file)
                ? Optional.of(Json.MAPPER.readValue(file.toFile(), RLVRJobStatus.class))
                : Optional.empty();
    }

    void store(RLVRJobStatus status) throws IOException {
        Json.replace(path.resolve("status.json"), status);
    }

    /** What the trainer reported last; empty before it has. */
    TrainerReport trainerReport() throws IOException {
        Path file = path.resolve("trainer-status.json");
        if (!Files.exists(file)) {
            return TrainerReport.NONE;
        }
        JsonNode report = Json.MAPPER.readTree(file.toFile());
        return new TrainerReport(
                Json.MAPPER.treeToValue(report, RLVRJobStatus.class),
                report.path("phase").asText(""),
                Files.getLastModifiedTime(file).toInstant());
    }

    /** Removes the folder where the run that opened it never began. */
    public void discardIfUnused() throws IOException {
        if (!Files.exists(job())) {
            Files.deleteIfExists(path.resolve(".lock"));
            try (Stream<Path> content = Files.list(path)) {
                if (content.findAny().isPresent()) {
                    return;
                }
            }
            Files.deleteIfExists(path);
        }
    }

    @Override
    public void close() throws IOException {
        lockFile.close();
    }
}
