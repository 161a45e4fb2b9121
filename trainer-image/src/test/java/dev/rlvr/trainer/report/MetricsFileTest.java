package dev.rlvr.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @Test
    void aLineHasTheDocumentedNamesInTheirOrder() throws IOException {
        Path documentation = Path.of("..", "docs", "trainer.md");
        String section = Files.readString(documentation).split("## Metrics\n", -1)[1];
        List<String> documented =
                List.of(section.substring(section.indexOf('`') + 1, section.indexOf('`', section.indexOf('`') + 1))
                        .split("\\s+"));

        List<String> names = new ArrayList<>();
        Steps.step(3).toJson().fieldNames().forEachRemaining(names::add);

        assertThat(names).isEqualTo(documented);
    }

    @Test
    void aFigureThatAStepDoesNotHaveIsNull() {
        JsonNode json = Steps.step(3, Double.NaN, Double.NaN).toJson();

        assertThat(json.get("loss").isNull()).isTrue();
        assertThat(json.get("step").asInt()).isEqualTo(3);
        assertThat(json.get("num_tokens").toString()).isEqualTo("21000");
        assertThat(Steps.step(3, Double.NaN, Double.NaN)
                        .progress(30, Instant.EPOCH, Instant.EPOCH)
                        .entropyThreshold())
                .isNull();
    }

    @Test
    void theStatusShowsTheStepsFigures() {
        var progress = Steps.step(12)
                .progress(30, Instant.parse("2026-01-01T00:05:00.7Z"), Instant.parse("2026-01-01T00:00:00Z"));

        assertThat(progress.step()).isEqualTo(12);
        assertThat(progress.totalSteps()).isEqualTo(30);
        assertThat(progress.clipFraction()).isEqualTo(.003);
        assertThat(progress.keptTokenFraction()).isEqualTo(.2);
        assertThat(progress.estimatedCompletion()).isEqualTo("2026-01-01T00:05:00Z");
    }

    @Test
    void aResumedRunDropsTheLinesAfterItsCheckpointAndATornOne() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        MetricsFile metrics = new MetricsFile(file);
        for (int step = 1; step <= 12; step++) {
            metrics.append(Steps.step(step));
        }
        Files.writeString(file, "{\"step\":13,\"loss\":0.2", StandardOpenOption.APPEND);

        new MetricsFile(file).truncateAfter(10);
        new MetricsFile(file).append(Steps.step(11));

        assertThat(steps(file)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
        assertThat(folder).isDirectoryNotContaining(path -> path.toString().endsWith(".tmp"));
    }

    @Test
    void aTornLineAloneIsDroppedToo() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        Files.writeString(file, "{\"step\":1}\n{\"step\":2}\n{\"st");

        new MetricsFile(file).truncateAfter(10);

        assertThat(file).hasContent("{\"step\":1}\n{\"step\":2}\n");
    }

    @Test
    void aWholeLastLineWithoutItsNewlineGetsOne() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        Files.writeString(file, "{\"step\":1}\n{\"step\":2}");

        MetricsFile metrics = new MetricsFile(file);
        metrics.truncateAfter(2);
        metrics.append(Steps.step(3));

        assertThat(steps(file)).containsExactly(1, 2, 3);
    }

    @Test
    void aFreshRunHasNothingToDrop() throws IOException {
        new MetricsFile(folder.resolve("metrics.jsonl")).truncateAfter(0);

        assertThat(folder).isEmptyDirectory();
    }

    private static List<Integer> steps(Path file) throws IOException {
        List<Integer> steps = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            steps.add(JSON.readTree(line).get("step").asInt());
        }
        return steps;
    }
}
