package dev.rlvr.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class CheckpointWriterTest {
    @TempDir
    Path work;

    private final LinkedBlockingQueue<Checkpoints.Saved> durable = new LinkedBlockingQueue<>();

    private CheckpointWriter writer() {
        return new CheckpointWriter(new Checkpoints(root(), 3), new HostMemory(), RankFiles.ALONE, durable::add);
    }

    /** A machine that has so many kilobytes left. */
    private CheckpointWriter writerWith(long kilobytes) throws IOException {
        Path machine = Files.createDirectories(work.resolve("machine/proc"));
        Files.writeString(machine.resolve("meminfo"), "MemTotal: 9 kB\nMemAvailable: " + kilobytes + " kB\n");
        return new CheckpointWriter(
                new Checkpoints(root(), 3), new HostMemory(machine.getParent()), RankFiles.ALONE, durable::add);
    }

    private Path root() {
        return work.resolve("checkpoints");
    }

    private static CheckpointManifest state(int step, Map<String, CheckpointManifest.FileSum> files) {
        return new CheckpointManifest(step, 1, 2, 3, "digest", "2026-01-01T00:00:00Z", files);
    }

    private static ByteBuffer random(int bytes) {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return ByteBuffer.allocateDirect(bytes).put(content).flip();
    }

    private static byte[] bytes(List<ByteBuffer> pieces) {
        ByteBuffer all = ByteBuffer.allocate(
                pieces.stream().mapToInt(ByteBuffer::remaining).sum());
        pieces.forEach(piece -> all.put(piece.duplicate()));
        return all.array();
    }

    private static SequencedMap<String, List<ByteBuffer>> files(int bytes) {
        SequencedMap<String, List<ByteBuffer>> files = new LinkedHashMap<>();
        files.put("model.safetensors", List.of(random(13), random(bytes), random(4096)));
        files.put("optimizer.safetensors", List.of(random(7), random(2 * bytes)));
        return files;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4096 - 13, Blocks.SIZE - 13, Blocks.SIZE, 3 * Blocks.SIZE + 1})
    void whatIsReadBackIsWhatWasCopied(int bytes) throws Exception {
        SequencedMap<String, List<ByteBuffer>> files = files(bytes);
        try (CheckpointWriter writer = writer()) {
            writer.save(5, files, sums -> state(5, sums));
        }

        Checkpoints.Saved saved =
                Checkpoints.open(root().resolve("step-000005")).orElseThrow();
        assertThat(durable).containsExactly(saved);
        for (Map.Entry<String, List<ByteBuffer>> file : files.entrySet()) {
            assertThat(saved.file(file.getKey())).hasBinaryContent(bytes(file.getValue()));
        }
    }

    @Test
    void theStateMayChangeAsSoonAsItIsCopiedAndTheCheckpointIsTheStateBefore() throws Exception {
        SequencedMap<String, List<ByteBuffer>> files = files(Blocks.SIZE);
        byte[] before = bytes(files.get("model.safetensors"));
        CountDownLatch changed = new CountDownLatch(1);
        try (CheckpointWriter writer = writer()) {
            writer.save(5, files, sums -> {
                awaitQuietly(changed);
                return state(5, sums);
            });
            assertThat(root().resolve("step-000005/manifest.json")).doesNotExist();
            assertThat(durable).as("not reported before it is on the disk").isEmpty();
            ByteBuffer weights = files.get("model.safetensors").get(1);
            weights.put(0, (byte) ~weights.get(0));
            changed.countDown();
            writer.await();
            assertThat(durable).hasSize(1);
        }

        assertThat(Checkpoints.open(root().resolve("step-000005")).orElseThrow().file("model.safetensors"))
                .hasBinaryContent(before);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theNextCheckpointWaitsForTheOneBefore() throws Exception {
        try (CheckpointWriter writer = writer()) {
            for (int step = 1; step <= 6; step++) {
                int now = step;
                writer.save(now, files(1000), sums -> state(now, sums));
                assertThat(durable).as("all before %s", now).hasSizeGreaterThanOrEqualTo(now - 1);
            }
        }

        assertThat(durable).extracting(saved -> saved.manifest().step()).containsExactly(1, 2, 3, 4, 5, 6);
    }

    @Test
    void whereMemoryHoldsNoCopyTheCheckpointIsWrittenThroughAFewBlocks() throws Exception {
        SequencedMap<String, List<ByteBuffer>> files = files(4 * Blocks.SIZE);
        try (CheckpointWriter writer = writerWith(50_000)) {
            writer.save(5, files, sums -> state(5, sums));
            writer.save(6, files, sums -> state(6, sums));
        }

        for (String step : List.of("step-000005", "step-000006")) {
            assertThat(Checkpoints.open(root().resolve(step)).orElseThrow().file("optimizer.safetensors"))
                    .hasBinaryContent(bytes(files.get("optimizer.safetensors")));
        }
    }

    @Test
    void aFailedWriteIsSeenAtTheNextLookAndCountsAsNoCheckpoint() throws Exception {
        try (CheckpointWriter writer = writerWith(50_000)) {
            writer.save(1, files(1000), sums -> state(1, sums));
            writer.await();
            // the writer fails at once, while the copy still waits for blocks
            SequencedMap<String, List<ByteBuffer>> impossible = files(8 * Blocks.SIZE);
            impossible.putFirst("no/such/folder", List.of(random(10)));

            writer.save(2, impossible, sums -> state(2, sums));

            assertThatThrownBy(writer::await)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot write the checkpoint")
                    .hasMessageContaining("no/such");
        }
        assertThat(new Checkpoints(root(), 3).newest().orElseThrow().manifest().step())
                .isEqualTo(1);
        assertThat(durable).hasSize(1);
    }
}
