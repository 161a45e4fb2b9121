package dev.rlvr.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;

/** {@code rlvr} as a process of its own, started in a folder like a user would, with the stand-in for the trainer. */
final class CommandLineProcess {
    /** A checkout whose trainer is the stand-in, a manifest and a folder to work in. */
    record World(Path folder) {
        static World in(Path folder, String... behaviour) throws IOException {
            World world = new World(folder);
            Path built = Files.createDirectories(folder.resolve("checkout/built"));
            Files.writeString(built.resolve("rlvr-trainer.classpath"), System.getProperty("java.class.path"));
            Files.createDirectories(folder.resolve("checkout/examples"));
            world.behave(behaviour);
            world.manifest("");
            return world;
        }

        void behave(String... lines) throws IOException {
            Files.write(folder.resolve("checkout/examples/behaviour.properties"), List.of(lines));
        }

        /** Twelve steps with a checkpoint every four; {@code more} is added under {@code spec}. */
        void manifest(String more) throws IOException {
            Files.writeString(folder.resolve("job.yaml"), """
                    apiVersion: rlvr.dev/v1alpha1
                    kind: RLVRJob
                    metadata:
                      name: story
                    spec:
                      model: {source: 'bundled://model'}
                      data: {source: 'bundled://train.jsonl'}
                      reward: {verifier: Numeric}
                      algorithm: {steps: 12, promptsPerBatch: 16, miniBatchPrompts: 8}
                      rollout: {maxResponseTokens: 96}
                      evaluation: [{name: held-out, source: 'bundled://test.jsonl', everySteps: 0, samples: 8}]
                      trainer: {gpusPerReplica: 0}
                      checkpoint: {everySteps: 4}
                    """ + more);
        }

        /** Changes the manifest's text. */
        void replace(String text, String by) throws IOException {
            Path manifest = folder.resolve("job.yaml");
            Files.writeString(manifest, Files.readString(manifest).replace(text, by));
        }

        Path work() {
            return folder.resolve("runs/default-story");
        }

        CommandLineProcess start(String... arguments) throws IOException {
            List<String> command = new ArrayList<>(AS_IN_A_TERMINAL);
            command.addAll(List.of(
                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-Drlvr.home=" + folder.resolve("checkout"),
                    "-Drlvr.built=" + folder.resolve("checkout/built"),
                    "-cp",
                    System.getProperty("java.class.path"),
                    "dev.rlvr.cli.Main"));
            command.addAll(List.of(arguments));
            Path out = Files.createTempFile(folder, "command", ".out");
            Path err = Files.createTempFile(folder, "command", ".err");
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            return new CommandLineProcess(process, out, err);
        }

        Finished run(String... arguments) throws IOException, InterruptedException {
            return start(arguments).finish();
        }
    }

    /** A shell that starts a build in the background has it ignore Ctrl-C, and so would all that it starts. */
    private static final List<String> AS_IN_A_TERMINAL = asInATerminal();

    private static List<String> asInATerminal() {
        List<String> defaults = List.of("env", "--default-signal=INT");
        try {
            List<String> probe = new ArrayList<>(defaults);
            probe.add("true");
            return new ProcessBuilder(probe).start().waitFor() == 0 ? defaults : List.of();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What a command left. */
    record Finished(int exitCode, String out, String err) {}

    private final Process process;
    private final Path out;
    private final Path err;

    private CommandLineProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    long pid() {
        return process.pid();
    }

    Finished finish() throws IOException, InterruptedException {
        if (!process.waitFor(3, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            Assertions.fail("the command did not end:\n" + Files.readString(out) + Files.readString(err));
        }
        return new Finished(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** Waits until it has printed this. */
    CommandLineProcess until(String printed) {
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(50))
                .untilAsserted(() -> assertThat(Files.readString(out)).contains(printed));
        return this;
    }

    /** Ctrl-C. */
    CommandLineProcess interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        return this;
    }

    /** {@code kill -9}. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
