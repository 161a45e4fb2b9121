package dev.rlvr.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointsTest {
    @TempDir
    Path work;

    private Checkpoints keeping(int keep) {
        return new Checkpoints(root(), keep);
    }

    private Path root() {
        return work.resolve("checkpoints");
    }

    private static Checkpoints.Saved save(Checkpoints checkpoints, int step) throws IOException, InterruptedException {
        return save(checkpoints, step, "weights after " + step);
    }

    private static Checkpoints.Saved save(Checkpoints checkpoints, int step, String weights)
            throws IOException, InterruptedException {
        return checkpoints.save(
                step,
                folder -> {
                    Files.writeString(folder.resolve("model.safetensors"), weights);
                    Files.write(folder.resolve("optimizer.safetensors"), new byte[3_000_000]);
                    return FileSums.of(folder);
                },
                files -> new CheckpointManifest(
                        step, step * 16L, step * 2L, step * 1000L, "digest", "2026-01-01T00:00:00Z", files));
    }

    private int newest() throws IOException {
        return keeping(3).newest().map(saved -> saved.manifest().step()).orElse(-1);
    }

    private List<String> folders() throws IOException {
        try (var entries = Files.list(root())) {
            return entries.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static void flip(Path file, long at) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) at] ^= 1;
        Files.write(file, bytes);
    }

    private static void cut(Path file, long bytes) throws IOException {
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        }
    }

    @Test
    void aNewJobHasNoCheckpoint() throws IOException {
        assertThat(keeping(3).newest()).isEmpty();
        assertThat(Checkpoints.open(work.resolve("nowhere"))).isEmpty();
    }

    @Test
    void whatWasSavedIsFoundAgain() throws IOException, InterruptedException {
        Checkpoints.Saved saved = save(keeping(3), 50);

        assertThat(saved.folder()).isEqualTo(root().resolve("step-000050"));
        assertThat(keeping(3).newest()).contains(saved);
        assertThat(Checkpoints.open(saved.folder())).contains(saved);
        assertThat(saved.manifest().files()).containsOnlyKeys("model.safetensors", "optimizer.safetensors");
        assertThat(saved.manifest().files().get("optimizer.safetensors").bytes())
                .isEqualTo(3_000_000);
        assertThat(saved.file("model.safetensors")).hasContent("weights after 50");
    }

    @Test
    void theNewestIsTheOneOfTheHighestStepNotOfTheLatestDate() throws IOException, InterruptedException {
        save(keeping(10), 9);
        save(keeping(10), 1_000_000);
        save(keeping(10), 999_999);

        assertThat(newest()).isEqualTo(1_000_000);
    }

    @Test
    void theManifestIsWrittenLastAndNothingOfItIsSeenBefore() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(3);
        checkpoints.save(
                1,
                folder -> {
                    Files.writeString(folder.resolve("model.safetensors"), "weights");
                    assertThat(keeping(3).newest()).isEmpty();
                    return FileSums.of(folder);
                },
                files -> {
                    assertThat(root().resolve("step-000001")).isDirectory();
                    assertThat(root().resolve("step-000001/manifest.json")).doesNotExist();
                    return new CheckpointManifest(1, 0, 0, 0, "", "", files);
                });

        assertThat(newest()).isEqualTo(1);
        assertThat(root().resolve("step-000001/manifest.json.partial")).doesNotExist();
    }

    @Test
    void aCheckpointThatCouldNotBeWrittenLeavesTheOlderOnesAsTheyWere() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(1);
        save(checkpoints, 10);

        assertThatThrownBy(() -> checkpoints.save(
                        20,
                        folder -> {
                            Files.writeString(folder.resolve("model.safetensors"), "half of");
                            throw new IOException("No space left on device");
                        },
                        files -> new CheckpointManifest(20, 0, 0, 0, "", "", files)))
                .isInstanceOf(IOException.class);

        assertThat(newest()).isEqualTo(10);
        save(checkpoints, 30);
        assertThat(folders()).as("the torn one is cleared away").containsExactly("step-000030");
    }

    @Test
    void pruningWaitsUntilTheNewOneIsComplete() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(1);
        save(checkpoints, 10);
        checkpoints.save(
                20,
                folder -> {
                    Files.writeString(folder.resolve("model.safetensors"), "weights");
                    assertThat(newest()).isEqualTo(10);
                    return FileSums.of(folder);
                },
                files -> {
                    assertThat(root().resolve("step-000010/manifest.json")).exists();
                    return new CheckpointManifest(20, 0, 0, 0, "", "", files);
                });

        assertThat(folders()).containsExactly("step-000020");
    }

    @Test
    void theNewestAreKept() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(2);
        for (int step = 5; step <= 25; step += 5) {
            save(checkpoints, step);
        }

        assertThat(folders()).containsExactly("step-000020", "step-000025");
    }

    @Test
    void savingAStepAgainReplacesIt() throws IOException, InterruptedException {
        save(keeping(3), 10, "first");
        Files.writeString(root().resolve("step-000010/of-an-older-release.bin"), "left over");
        save(keeping(3), 10, "second");

        Checkpoints.Saved saved = keeping(3).newest().orElseThrow();
        assertThat(saved.file("model.safetensors")).hasContent("second");
        assertThat(saved.manifest().files()).doesNotContainKey("of-an-older-release.bin");
        assertThat(saved.file("of-an-older-release.bin")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "optimizer.safetensors"})
    void aDamagedFileMakesTheOlderCheckpointTheNewest(String name) throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(3);
        save(checkpoints, 10);
        Path file = save(checkpoints, 20).file(name);
        byte[] whole = Files.readAllBytes(file);

        flip(file, whole.length - 1);
        assertThat(newest()).as("a bit flipped").isEqualTo(10);
        Files.write(file, Arrays.copyOf(whole, whole.length - 1));
        assertThat(newest()).as("cut short").isEqualTo(10);
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertThat(newest()).as("too long").isEqualTo(10);
        Files.delete(file);
        assertThat(newest()).as("missing").isEqualTo(10);
        Files.write(file, whole);
        assertThat(newest()).as("whole again").isEqualTo(20);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "{", "null", "[]", "{\"step\":20}", "{\"step\":20,\"files\":null}", "\u0000\u0000\u0000"})
    void aDamagedManifestMakesTheOlderCheckpointTheNewest(String manifest) throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(3);
        save(checkpoints, 10);
        Path file = save(checkpoints, 20).file("manifest.json");

        Files.writeString(file, manifest);

        assertThat(newest()).isEqualTo(10);
        assertThat(Checkpoints.open(file.getParent())).isEmpty();
    }

    @Test
    void noBitOfTheManifestCanFlipUnseen() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(3);
        Path file = checkpoints
                .save(
                        20,
                        folder -> {
                            Files.writeString(folder.resolve("model.safetensors"), "weights");
                            return FileSums.of(folder);
                        },
                        files -> new CheckpointManifest(20, 320, 40, 20_000, "digest", "2026-01-01T00:00:00Z", files))
                .file("manifest.json");
        CheckpointManifest whole = newestManifest();
        byte[] bytes = Files.readAllBytes(file);

        for (int at = 0; at < bytes.length; at++) {
            flip(file, at);
            // white space may change; a state that is read must be the one that was written
            assertThat(keeping(3).newest().map(Checkpoints.Saved::manifest).orElse(whole))
                    .as("byte %s", at)
                    .isEqualTo(whole);
            Files.write(file, bytes);
        }
    }

    private CheckpointManifest newestManifest() throws IOException {
        return keeping(3).newest().orElseThrow().manifest();
    }

    @Test
    void whereAllAreDamagedThereIsNone() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(3);
        for (int step : new int[] {10, 20}) {
            flip(save(checkpoints, step).file("model.safetensors"), 0);
        }

        assertThat(newest()).isEqualTo(-1);
    }

    @Test
    void aDamagedCheckpointDoesNotTakeThePlaceOfAGoodOne() throws IOException, InterruptedException {
        save(keeping(3), 20);
        cut(save(keeping(3), 30).file("model.safetensors"), 3);
        Checkpoints afterwards = keeping(1);
        assertThat(afterwards.newest().orElseThrow().manifest().step()).isEqualTo(20);

        save(afterwards, 25);

        assertThat(folders()).as("the run went on from 20").containsExactly("step-000025");
        assertThat(newest()).isEqualTo(25);
    }

    @Test
    void whatACrashLeavesBehindIsInvisibleAndGoneAfterTheNextSave() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(3);
        save(checkpoints, 10);
        Path torn = Files.createDirectories(root().resolve("step-000020"));
        Files.writeString(torn.resolve("model.safetensors"), "half of");
        Files.writeString(torn.resolve("manifest.json.partial"), "{\"step\":20");

        assertThat(newest()).isEqualTo(10);
        save(checkpoints, 30);

        assertThat(folders()).containsExactly("step-000010", "step-000030");
    }

    @Test
    void aCrashBeforeTheRenameIsRepairedByTheSameStep() throws IOException, InterruptedException {
        Path torn = Files.createDirectories(root().resolve("step-000020"));
        Files.writeString(torn.resolve("model.safetensors"), "other weights");
        Files.writeString(torn.resolve("manifest.json.partial"), "{\"step\":20");

        Checkpoints.Saved saved = save(keeping(3), 20);

        assertThat(newest()).isEqualTo(20);
        assertThat(saved.manifest().files()).containsOnlyKeys("model.safetensors", "optimizer.safetensors");
    }

    @Test
    void whatIsNoCheckpointIsLeftAlone() throws IOException, InterruptedException {
        Checkpoints checkpoints = keeping(1);
        save(checkpoints, 10);
        Files.createDirectories(root().resolve("lost+found"));
        Files.createDirectories(root().resolve("step-final"));
        Files.writeString(root().resolve("notes.txt"), "mine");
        Files.createDirectories(root().resolve("step-000010/snapshots"));

        assertThat(newest()).isEqualTo(10);
        save(checkpoints, 20);

        assertThat(folders()).containsExactly("lost+found", "notes.txt", "step-000020", "step-final");
    }
}
