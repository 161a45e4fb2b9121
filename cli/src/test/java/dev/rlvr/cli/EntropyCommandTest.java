package dev.rlvr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.cli.CommandLineProcess.Finished;
import dev.rlvr.cli.CommandLineProcess.World;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command's part: options and exit codes. What is computed is tested with the trainer and against transformers under e2e/. */
class EntropyCommandTest {
    @TempDir
    Path folder;

    @Test
    void theTrainerGetsAllOptionsAndItsExitCodeIsTheCommands() throws Exception {
        Finished finished = World.in(folder)
                .run(
                        "entropy",
                        "--model",
                        "a model",
                        "--input",
                        "in.jsonl",
                        "--output",
                        "out.jsonl",
                        "--temperature",
                        "0.7",
                        "--precision",
                        "BF16",
                        "--threads",
                        "3");

        assertThat(finished.out())
                .isEqualToIgnoringNewLines("--model|a model|--input|in.jsonl|--output|out.jsonl|--temperature|0.7"
                        + "|--precision|BF16|--threads|3");
        assertThat(finished.err()).isEqualToIgnoringNewLines("rlvr: said by the trainer");
        assertThat(finished.exitCode()).isEqualTo(75);
    }

    @Test
    void whatIsLeftOutIsNamed() throws Exception {
        Finished finished = World.in(folder).run("entropy", "--model", "m", "--precision", "FP8");

        assertThat(finished.exitCode()).isEqualTo(2);
        assertThat(finished.err()).contains("--precision", "FP8", "F32, BF16");
        finished = World.in(folder).run("entropy", "--model", "m");
        assertThat(finished.exitCode()).isEqualTo(2);
        assertThat(finished.err()).contains("--input", "--output");
    }
}
