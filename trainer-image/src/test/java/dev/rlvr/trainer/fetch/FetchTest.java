package dev.rlvr.trainer.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.ModelSpec;
import dev.rlvr.trainer.data.SourceResolver;
import dev.rlvr.trainer.hub.PlayedHub;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.model.TinyModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Timeout(value = 3, unit = TimeUnit.MINUTES)
class FetchTest {
    private static final String TINY = "hf://org/tiny";
    private static final String SUMS = "hf://datasets/org/sums/train.jsonl";

    @TempDir
    Path folder;

    private PlayedHub hub;

    @BeforeEach
    void start(@TempDir Path served) throws IOException {
        TinyModel.write(Files.createDirectories(served.resolve("models")).resolve("tiny"), Family.LLAMA);
        Path data = Files.createDirectories(served.resolve("datasets/sums"));
        Files.writeString(data.resolve("train.jsonl"), "{\"prompt\": \"1+1\", \"answer\": \"2\"}\n");
        hub = new PlayedHub(served);
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private Map<String, String> environment() {
        return new TreeMap<>(Map.of(
                "HF_ENDPOINT", hub.address(),
                "RLVR_SOURCES", folder.resolve("work/sources.json").toString(),
                "RLVR_HUB_CACHE", folder.resolve("cache").toString(),
                "RLVR_TERMINATION_LOG", folder.resolve("last-words").toString()));
    }

    private Path job(String model, String data) throws IOException {
        return Files.writeString(folder.resolve("job.yaml"), """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata: {name: fetched}
                spec:
                  model: {source: '%s'}
                  data: {source: '%s'}
                  evaluation: [{name: held-out, source: '%s'}]
                  reward: {verifier: Numeric}
                  trainer: {gpusPerReplica: 0}
                """.formatted(model, data, data));
    }

    private int fetch(Map<String, String> environment, Path job) {
        return new CommandLine(new Fetch(environment, System.err))
                .execute(
                        "--job",
                        job.toString(),
                        "--link",
                        folder.resolve("model").toString());
    }

    private String lastWords() throws IOException {
        return Files.readString(folder.resolve("last-words"));
    }

    @Test
    void afterwardsATrainerFindsEverythingWithoutHubAndToken() throws IOException {
        assertThat(fetch(environment(), job(TINY, SUMS))).isZero();

        hub.close();
        SourceResolver trainer = SourceResolver.of(environment());
        Path model = trainer.model(new ModelSpec(TINY, null, null));
        assertThat(model.resolve("model.safetensors")).isNotEmptyFile();
        assertThat(folder.resolve("model").toRealPath()).isEqualTo(model.toRealPath());
        assertThat(trainer.problems("spec.data.source", SUMS)).content().contains("1+1");
        assertThatThrownBy(() -> trainer.model(new ModelSpec("hf://org/other", null, null)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("fetch it again");
    }

    @Test
    void aJobStaysWithTheCommitsThatItBeganWithAndAsksTheHubOnce() throws IOException {
        Path job = job(TINY, SUMS);
        fetch(environment(), job);
        Path before = SourceResolver.of(environment()).model(new ModelSpec(TINY, null, null));

        hub.moveMain("76543210fedcba9876543210fedcba9876543210");
        hub.asked().clear();
        assertThat(fetch(environment(), job)).isZero();

        assertThat(hub.asked()).isEmpty();
        assertThat(SourceResolver.of(environment()).model(new ModelSpec(TINY, null, null)))
                .isEqualTo(before);
        assertThat(folder.resolve("work/sources.json"))
                .content()
                .contains("\"hf://org/tiny@main\" : \"0123456789", "\"hf://datasets/org/sums@main\"");
    }

    @Test
    void severalPodsDownloadOnce() throws Exception {
        Path job = job(TINY, SUMS);
        List<Process> pods = new ArrayList<>();
        for (int pod = 0; pod < 3; pod++) {
            Map<String, String> environment = environment();
            if (pod == 2) {
                // another job with the same cache
                environment.put(
                        "RLVR_SOURCES", folder.resolve("other/sources.json").toString());
            }
            ProcessBuilder builder = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                    Fetch.class.getName(),
                    "--job",
                    job.toString());
            builder.environment().putAll(environment);
            pods.add(builder.inheritIO().start());
        }
        for (Process pod : pods) {
            assertThat(pod.waitFor()).isZero();
        }

        assertThat(hub.asked())
                .filteredOn(path -> path.startsWith("store"))
                .containsExactly("store /models/model.safetensors");
        assertThat(hub.asked()).filteredOn(path -> path.endsWith("train.jsonl")).hasSize(1);
    }

    @Test
    void whatTheUserHasToCorrectIsExitCode2WithTheFieldInTheLastWords() throws IOException {
        assertThat(fetch(environment(), job("hf://org/secret", SUMS))).isEqualTo(2);
        assertThat(lastWords()).startsWith("spec.model.source: ").contains("(401)", "secretName");

        assertThat(fetch(environment(), job("hf://org/none", SUMS))).isEqualTo(2);
        assertThat(lastWords()).startsWith("spec.model.source: ").contains("does not exist");

        assertThat(fetch(environment(), job(TINY, "hf://datasets/org/sums/test.jsonl")))
                .isEqualTo(2);
        assertThat(lastWords())
                .isEqualTo("spec.data.source: hf://datasets/org/sums has no file test.jsonl; it has train.jsonl");
    }

    @Test
    void aHubThatCannotBeReachedIsTryAgain() throws IOException {
        hub.close();

        assertThat(fetch(environment(), job(TINY, SUMS))).isEqualTo(75);
        assertThat(lastWords()).contains("cannot reach http://127.0.0.1:");
    }
}
