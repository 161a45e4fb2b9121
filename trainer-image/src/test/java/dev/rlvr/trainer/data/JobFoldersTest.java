package dev.rlvr.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.checkpoint.CheckpointManifest;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code job://} sources name in the folders that other jobs have left. */
class JobFoldersTest {
    private static final String FIELD = "spec.model.source";

    @TempDir
    Path runs;

    private JobFolders jobs = new JobFolders(Optional.empty());
    private Path base = Path.of("");

    @BeforeEach
    void aJobThatHasSavedTwice() throws Exception {
        jobs = new JobFolders(Optional.of(runs + "/default-"));
        base = runs.resolve("default-base");
        save(base, 10);
        save(base, 20);
        Files.createDirectories(base.resolve("checkpoints/step-000030")); // being written: no manifest yet
    }

    private static void save(Path work, int step) throws Exception {
        SequencedMap<String, byte[]> description = new LinkedHashMap<>();
        description.put("config.json", "{}".getBytes(StandardCharsets.UTF_8));
        new Checkpoints(work.resolve("checkpoints"), 3, description)
                .save(step, folder -> Map.of(), files -> new CheckpointManifest(step, 0, 0, 0, "", "", files));
    }

    private Path step(int step) {
        return base.resolve("checkpoints/step-%06d".formatted(step));
    }

    @Test
    void aJobAloneIsItsExportElseItsNewestCompleteCheckpoint() throws IOException {
        assertThat(jobs.model(FIELD, "job://base")).isEqualTo(step(20));
        assertThat(jobs.checkpoint("spec.checkpoint.resumeFrom", "job://base")).isEqualTo(step(20));

        Path export = Files.createDirectories(base.resolve("model"));
        assertThat(jobs.model(FIELD, "job://base")).isEqualTo(export);
        assertThat(jobs.model(FIELD, "job://base/model")).isEqualTo(export);
        assertThat(jobs.checkpoint("spec.checkpoint.resumeFrom", "job://base")).isEqualTo(step(20));
    }

    @Test
    void oneCheckpointIsThatOne() {
        assertThat(jobs.model(FIELD, "job://base/checkpoints/step-000010")).isEqualTo(step(10));
        assertThat(jobs.checkpoint(FIELD, "job://base/checkpoints/step-000010")).isEqualTo(step(10));
    }

    @Test
    void whatIsNotThereIsNamedWithItsFieldAndARemedy() throws IOException {
        assertThatThrownBy(() -> jobs.model(FIELD, "job://none"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("spec.model.source: job://none", "default-none", "run that job first");
        assertThatThrownBy(() -> jobs.model(FIELD, "job://base/model"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("exportHuggingFace", "job://base/checkpoints/");
        assertThatThrownBy(() -> jobs.model(FIELD, "job://base/checkpoints/step-000030"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("no complete checkpoint", "step-000030", "checkpoint.keep");
        Files.delete(step(20).resolve("config.json"));
        assertThatThrownBy(() -> jobs.model(FIELD, "job://base"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("no config.json", "checkpoint.resumeFrom");
        assertThatThrownBy(() -> new JobFolders(Optional.empty()).model(FIELD, "job://base"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("RLVR_JOBS");
    }
}
