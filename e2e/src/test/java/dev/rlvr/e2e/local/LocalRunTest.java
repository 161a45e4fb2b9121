package dev.rlvr.e2e.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code rlvr run} with the real trainer on the quickstart's real model. */
@Tag("slow")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class LocalRunTest {
    private static final Path CHECKOUT =
            Path.of(System.getProperty("rlvr.checkout", "..")).toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    private Path work = Path.of("");
    private Path log = Path.of("");

    @BeforeEach
    void layOut() throws IOException {
        work = folder.resolve("work");
        log = folder.resolve("out.txt");
        Files.createDirectories(folder.resolve("built"));
        Files.writeString(folder.resolve("built/rlvr-trainer.classpath"), classPath("trainer-image"));
    }

    @Test
    void aTrainerThatIsKilledComesBackAndTheRunEndsWithModelAndReport() throws Exception {
        Process run = rlvr(job("fraction: 0.2"));
        Awaitility.await().atMost(2, TimeUnit.MINUTES).until(() -> !run.isAlive() || steps() >= 2);
        ProcessHandle trainer = run.children().findFirst().orElseThrow(() -> new AssertionError(output()));
        trainer.destroyForcibly();

        assertThat(run.waitFor()).as(output()).isZero();

        JsonNode status =
                new ObjectMapper().readTree(work.resolve("status.json").toFile());
        assertThat(status.path("state").asText()).isEqualTo("Succeeded");
        assertThat(status.path("attempt").asInt()).isEqualTo(2);
        assertThat(status.path("restarts").path("total").asInt()).isEqualTo(1);
        assertThat(status.path("progress").path("step").asInt()).isEqualTo(6);
        assertThat(status.path("evaluation").path(0).path("name").asText()).isEqualTo("greedy");
        assertThat(steps()).isEqualTo(6);
        for (String file : List.of(
                "model/config.json",
                "model/model.safetensors",
                "model/tokenizer.json",
                "checkpoints/step-000006/manifest.json",
                "rollouts/step-000006.jsonl",
                "report.html",
                "pictures/overview.png")) {
            assertThat(work.resolve(file)).isNotEmptyFile();
        }
        assertThat(output()).contains("greedy").contains("model");
    }

    @Test
    void twoRanksSampleFromTwoServersThatTheRunStartsAndStops() throws Exception {
        Path manifest = job("fraction: 0.2");
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace("steps: 6", "steps: 2")
                        .replace("threadsPerRank: 1", "threadsPerRank: 1, ranksPerReplica: 2, sharding: Gradients")
                        .replace(
                                "rollout: {", "rollout: {engine: Sglang, servers: {replicas: 2, gpusPerReplica: 0}, "));

        Process run = rlvr(manifest);
        Awaitility.await().atMost(3, TimeUnit.MINUTES).until(() -> !run.isAlive() || steps() >= 1);
        List<ProcessHandle> all = run.descendants().toList();

        assertThat(run.waitFor()).as(output()).isZero();
        assertThat(all).as("a launcher, two ranks and two servers").hasSize(5).noneMatch(ProcessHandle::isAlive);
        assertThat(steps()).isEqualTo(2);
        for (int server = 0; server < 2; server++) {
            assertThat(work.resolve("logs/server-" + server + ".log"))
                    .content()
                    .contains("serving bundled://quickstart/model at http://127.0.0.1:");
        }
        assertThat(work.resolve("rollout-weights")).doesNotExist();
        assertThat(work.resolve("model/model.safetensors")).isNotEmptyFile();
    }

    @Test
    void aJobBeginsFromWhatAnotherHasTrainedAndFromOneOfItsCheckpoints() throws Exception {
        String first = Files.readString(job("fraction: 0.2")).replace("steps: 6", "steps: 2");
        Path base = Files.writeString(folder.resolve("base.yaml"), first.replace("name: local", "name: base"));
        Path exported = chained("exported", first, "job://base");
        Path saved = chained("saved", first, "job://base/checkpoints/step-000001");

        assertRefused(exported, "there is no RLVRJob base");
        runAs("base", base);
        runAs("exported", exported);
        runAs("saved", saved);

        assertThat(work.resolve("model/config.json"))
                .hasSameTextualContentAs(folder.resolve("runs/default-base/model/config.json"));
        assertThat(work.resolve("logs/attempt-1.log")).content().contains("starting from step 0");
    }

    private Path chained(String name, String manifest, String model) throws IOException {
        return Files.writeString(
                folder.resolve(name + ".yaml"),
                manifest.replace("name: local", "name: " + name).replace("bundled://quickstart/model", model));
    }

    private void runAs(String name, Path manifest) throws Exception {
        work = folder.resolve("runs/default-" + name);
        assertThat(rlvr(manifest).waitFor()).as(output()).isZero();
    }

    @Test
    void badInputIsOneLineAndExitCodeTwoBeforeAnythingStarts() throws Exception {
        assertRefused(job("fraction: 1.5"), "spec.algorithm.forkingTokens.fraction");
        assertRefused(job("fraction: 0"), "spec.algorithm.forkingTokens.fraction");
        assertRefused(job("fraction: 0.2, entropyThreshold: 0.5"), "entropyThreshold");
        assertRefused(job("fracton: 0.2"), "spec.algorithm.forkingTokens.fracton");
        assertRefused(job("select: Highest"), "spec.algorithm.forkingTokens.select");
        assertRefused(
                Files.writeString(
                        folder.resolve("missing.yaml"),
                        Files.readString(job("fraction: 0.2")).replace("quickstart/model", "quickstart/modle")),
                "spec.model.source");
    }

    private void assertRefused(Path manifest, String field) throws Exception {
        Files.deleteIfExists(log);
        assertThat(rlvr(manifest).waitFor()).as(output()).isEqualTo(2);
        assertThat(output().lines().filter(line -> line.contains(field)).count())
                .as(output())
                .isEqualTo(1);
        assertThat(work).doesNotExist();
    }

    private Path job(String forkingTokens) throws IOException {
        return Files.writeString(folder.resolve("job.yaml"), """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata:
                  name: local
                spec:
                  model: {source: 'bundled://quickstart/model'}
                  data: {source: 'bundled://quickstart/train.jsonl', maxPromptTokens: 64}
                  reward: {verifier: Numeric, answerPattern: 'Answer: (-?\\d+)$'}
                  algorithm:
                    steps: 6
                    promptsPerBatch: 4
                    groupSize: 4
                    miniBatchPrompts: 2
                    optimizer: {learningRate: 2.0e-4}
                    forkingTokens: {%s}
                    dynamicSampling: {maxRefills: 1}
                  rollout: {maxResponseTokens: 96}
                  evaluation:
                    - {name: greedy, source: 'bundled://quickstart/test.jsonl', everySteps: 0, samples: 1, temperature: 0, maxProblems: 20}
                  trainer: {gpusPerReplica: 0, threadsPerRank: 1}
                  checkpoint: {everySteps: 1}
                """.formatted(forkingTokens));
    }

    private Process rlvr(Path manifest) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Drlvr.home=" + CHECKOUT,
                "-Drlvr.built=" + folder.resolve("built"),
                "-cp",
                classPath("cli"),
                "dev.rlvr.cli.Main",
                "run",
                manifest.toString(),
                "--work",
                work.toString());
        return builder.directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    private static String classPath(String module) throws IOException {
        Path target = CHECKOUT.resolve(module).resolve("target");
        return target.resolve("classes") + ":"
                + Files.readString(target.resolve("classpath")).strip();
    }

    private int steps() throws IOException {
        Path metrics = work.resolve("metrics.jsonl");
        return Files.exists(metrics) ? Files.readAllLines(metrics).size() : 0;
    }

    private String output() {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            return e.toString();
        }
    }
}
