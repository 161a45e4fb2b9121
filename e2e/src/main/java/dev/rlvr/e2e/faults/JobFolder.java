package dev.rlvr.e2e.faults;

import dev.rlvr.e2e.TinyJob;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The manifest and the work folder of one schedule's job; the work folder is a small file system of its own. */
final class JobFolder {
    static final int STEPS = 6;
    static final int PEER_TIMEOUT_SECONDS = 6;

    private static final String DISK_SIZE = "16m";
    private static final String MANIFEST = "manifest.json";

    private final Path folder;
    private final Set<Object> damaged = new HashSet<>();
    private volatile boolean filling;

    private JobFolder(Path folder) {
        this.folder = folder;
    }

    /** Writes the manifest and mounts the disk. */
    static JobFolder make(Path folder, TinyJob tiny, Schedule schedule) throws IOException, InterruptedException {
        JobFolder made = new JobFolder(folder);
        Files.createDirectories(made.work());
        Files.createDirectories(made.temporary());
        Commands.run(List.of(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=" + DISK_SIZE,
                "faults",
                made.work().toString()));
        Files.writeString(made.manifest(), tiny.manifest("faults", STEPS, "1e-4", """
                trainer: {gpusPerReplica: 0, replicas: %d, ranksPerReplica: %d, threadsPerRank: 1, sharding: %s}
                checkpoint: {everySteps: %d, keep: 2}
                lifecycle: {peerTimeout: %ds, startDeadline: 30s, stallDeadline: 60s}
                """.formatted(
                        schedule.pods(),
                        schedule.ranksPerPod(),
                        schedule.sharding(),
                        schedule.checkpointEvery(),
                        PEER_TIMEOUT_SECONDS)));
        return made;
    }

    Path manifest() {
        return folder.resolve("job.yaml");
    }

    Path work() {
        return folder.resolve("work");
    }

    Path temporary() {
        return folder.resolve("tmp");
    }

    /** Output of one pod in one attempt; on another disk, as on Kubernetes. */
    Path log(int attempt, int pod) {
        return folder.resolve("attempt-%d-pod-%d.log".formatted(attempt, pod));
    }

    Path lastWords(int attempt, int pod) {
        return folder.resolve("attempt-%d-pod-%d.words".formatted(attempt, pod));
    }

    Path weights() {
        return work().resolve("model/model.safetensors");
    }

    int reportedSteps() throws IOException {
        Path metrics = work().resolve("metrics.jsonl");
        if (Files.notExists(metrics)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(metrics)) {
            return (int) lines.count();
        }
    }

    /** Whether each step is reported, once, in order. */
    void requireAllSteps() throws IOException, Violation {
        List<String> lines = Files.readAllLines(work().resolve("metrics.jsonl"));
        List<Integer> steps = lines.stream()
                .map(line -> Integer.parseInt(line.replaceFirst(".*?\"step\"\\s*:\\s*(\\d+).*", "$1")))
                .toList();
        if (!steps.equals(IntStream.rangeClosed(1, STEPS).boxed().toList())) {
            throw new Violation("metrics.jsonl has the steps " + steps);
        }
    }

    /** Step of the newest checkpoint that is complete and was not damaged; 0 where there is none. */
    int newestWhole() throws IOException {
        for (Path checkpoint : checkpoints()) {
            if (!damaged.contains(identity(checkpoint))) {
                return step(checkpoint);
            }
        }
        return 0;
    }

    /** Steps of checkpoints that look complete, were damaged, and are newer than any whole one. */
    List<Integer> damagedAndNewest() throws IOException {
        List<Integer> steps = new ArrayList<>();
        for (Path checkpoint : checkpoints()) {
            if (!damaged.contains(identity(checkpoint))) {
                break;
            }
            steps.add(step(checkpoint));
        }
        return steps;
    }

    /** Damages a file of the newest checkpoint; says what was done, or nothing where there is no checkpoint. */
    Optional<String> damage(boolean delete, SplittableRandom random) throws IOException {
        Optional<Path> newest = checkpoints().stream().findFirst();
        if (newest.isEmpty()) {
            return Optional.empty();
        }
        List<Path> files;
        try (Stream<Path> entries = Files.list(newest.get())) {
            files = entries.sorted().toList();
        }
        Path file = files.get(random.nextInt(files.size()));
        damaged.add(identity(newest.get()));
        String name = newest.get().getFileName() + "/" + file.getFileName();
        if (delete) {
            Files.delete(file);
            return Optional.of("deleted " + name);
        }
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            long at = random.nextLong(bytes.length());
            bytes.seek(at);
            int was = bytes.read();
            bytes.seek(at);
            bytes.write(was ^ (1 << random.nextInt(8)));
            return Optional.of("changed byte %d of %s".formatted(at, name));
        }
    }

    /** Those with a manifest, the newest first. */
    private List<Path> checkpoints() throws IOException {
        Path root = work().resolve("checkpoints");
        if (Files.notExists(root)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(root)) {
            return entries.filter(entry -> Files.exists(entry.resolve(MANIFEST)))
                    .sorted(Comparator.comparingInt(JobFolder::step).reversed())
                    .toList();
        }
    }

    private static int step(Path checkpoint) {
        return Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
    }

    /** Of the manifest: a checkpoint that is written again has a new one. */
    private static Object identity(Path checkpoint) throws IOException {
        BasicFileAttributes manifest = Files.readAttributes(checkpoint.resolve(MANIFEST), BasicFileAttributes.class);
        return String.valueOf(manifest.fileKey());
    }

    /** Takes all that is left of the disk, also what becomes free, until {@link #freeDisk}. */
    void fillDisk() {
        filling = true;
        Thread.ofPlatform().daemon().start(() -> {
            byte[] block = new byte[4096];
            try (RandomAccessFile filler = new RandomAccessFile(filler().toFile(), "rw")) {
                while (filling) {
                    try {
                        filler.write(block);
                    } catch (IOException e) {
                        Thread.sleep(20);
                    }
                }
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    void freeDisk() throws IOException, InterruptedException {
        if (filling) {
            filling = false;
            Thread.sleep(100);
            Files.deleteIfExists(filler());
        }
    }

    private Path filler() {
        return work().resolve("filler");
    }

    /** Gives up the disk with all that is on it. */
    void unmount() throws IOException, InterruptedException {
        freeDisk();
        Commands.run(List.of("umount", "--lazy", work().toString()));
    }
}
