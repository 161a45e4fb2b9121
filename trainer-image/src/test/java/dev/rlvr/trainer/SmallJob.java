package dev.rlvr.trainer;

import dev.rlvr.crds.TrainerEnvironment;
import dev.rlvr.trainer.data.SourceResolver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The quickstart's model and problems in a job that takes seconds. */
record SmallJob(Path manifest, Path work) {
    static final Path BUNDLED = Path.of("../examples").toAbsolutePath().normalize();

    /** A job of some steps; {@code algorithm} and {@code trainer} are lines of YAML under those fields. */
    static SmallJob in(Path folder, int steps, String algorithm, String trainer) throws IOException {
        Files.createDirectories(folder);
        Path manifest = folder.resolve("job.yaml");
        Files.writeString(manifest, """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata:
                  name: small
                spec:
                  model: {source: 'bundled://quickstart/model'}
                  data: {source: 'bundled://quickstart/train.jsonl', maxPromptTokens: 64}
                  reward: {verifier: Numeric, answerPattern: 'Answer: (-?\\d+)$'}
                  algorithm:
                    steps: %d
                    promptsPerBatch: 4
                    groupSize: 4
                    miniBatchPrompts: 2
                    optimizer: {learningRate: 1e-3, warmupSteps: 0}
                    dynamicSampling: {maxRefills: 1}
                %s
                  rollout: {maxResponseTokens: 72}
                  trainer: {gpusPerReplica: 0, threadsPerRank: 1%s}
                  checkpoint: {everySteps: 1, keep: 2}
                """.formatted(steps, algorithm.indent(4).stripTrailing(), trainer));
        return new SmallJob(manifest, folder.resolve("work"));
    }

    /** The same with one gradient step per rollout batch. */
    SmallJob withOneUpdatePerStep() throws IOException {
        Files.writeString(manifest, Files.readString(manifest).replace("miniBatchPrompts: 2", "miniBatchPrompts: 4"));
        return this;
    }

    /** The same with so few problems that they come again within a few steps. */
    SmallJob withProblems(int count) throws IOException {
        Path problems = manifest.resolveSibling("problems.jsonl");
        Files.write(
                problems,
                Files.readAllLines(BUNDLED.resolve("quickstart/train.jsonl")).subList(0, count));
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace("bundled://quickstart/train.jsonl", "file://" + problems.toAbsolutePath()));
        return this;
    }

    /** The same with answers from a rollout server. */
    SmallJob withServer(String url, int maxStaleness) throws IOException {
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace(
                                "{maxResponseTokens: 72}",
                                "{maxResponseTokens: 72, maxStaleness: %d, engine: Sglang, servers: {urls: ['%s']}}"
                                        .formatted(maxStaleness, url)));
        return this;
    }

    /** The same with answers from a server of vLLM. */
    SmallJob withVllm(String url) throws IOException {
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace(
                                "{maxResponseTokens: 72}",
                                "{maxResponseTokens: 72, engine: Vllm, servers: {urls: ['%s']}}".formatted(url)));
        return this;
    }

    /** The same with a rollout server that whoever starts the job has started, too. */
    SmallJob withOwnServers(int maxStaleness) throws IOException {
        Files.writeString(
                manifest,
                Files.readString(manifest)
                        .replace(
                                "{maxResponseTokens: 72}",
                                "{maxResponseTokens: 72, maxStaleness: %d, engine: Sglang, servers: {gpusPerReplica: 0}}"
                                        .formatted(maxStaleness)));
        return this;
    }

    /** Runs it in this process. */
    SmallJob run() throws IOException, InterruptedException {
        Inputs inputs = Inputs.read(
                Inputs.job(manifest),
                work,
                SourceResolver.of(Map.of("RLVR_BUNDLED", BUNDLED.toString())),
                Gpus.of(Map.of()));
        new TrainerRun(inputs, work, Map.of(), new StopSignal(), InstantSource.system()).run();
        return this;
    }

    byte[] finalWeights() throws IOException {
        return Files.readAllBytes(work.resolve("model/model.safetensors"));
    }

    List<String> metrics() throws IOException {
        Path file = work.resolve("metrics.jsonl");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    /** Starts a trainer process that asks to be stopped when its standard input closes; its output is in {@code log.txt}. */
    Process start() throws IOException {
        return start(Map.of());
    }

    /** The same with more in its environment. */
    Process start(Map<String, String> environment) throws IOException {
        Files.createDirectories(work);
        ProcessBuilder builder = java("dev.rlvr.trainer.Main", "--job", manifest.toString(), "--work", work.toString());
        builder.environment().put("RLVR_BUNDLED", BUNDLED.toString());
        builder.environment().put("RLVR_WATCH_STDIN", "true");
        builder.environment().put("RLVR_TERMINATION_LOG", lastWords().toString());
        builder.environment().putAll(environment);
        builder.redirectErrorStream(true);
        builder.redirectOutput(
                ProcessBuilder.Redirect.appendTo(work.resolveSibling("log.txt").toFile()));
        return builder.start();
    }

    /** A process of a main class on this test's class path, with all threads. */
    static ProcessBuilder java(String mainClass, String... arguments) {
        List<String> command =
                new ArrayList<>(TrainerEnvironment.jvm(Runtime.getRuntime().availableProcessors()));
        command.addFirst(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                mainClass));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    /** File of a process's last error line. */
    Path lastWords() {
        return work.resolveSibling("last-words.txt");
    }

    /** Returns once so many steps are reported, or when the trainer has ended. */
    void waitForSteps(int steps, Process trainer) throws IOException, InterruptedException {
        while (trainer.isAlive() && metrics().size() < steps) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }
}
