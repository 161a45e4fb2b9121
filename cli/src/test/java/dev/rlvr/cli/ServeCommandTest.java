package dev.rlvr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.cli.CommandLineProcess.Finished;
import dev.rlvr.cli.CommandLineProcess.World;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command's part: options and exit codes. The server is tested with the trainer. */
class ServeCommandTest {
    @TempDir
    Path folder;

    @Test
    void theServerGetsAllOptionsAndItsExitCodeIsTheCommands() throws Exception {
        Finished finished =
                World.in(folder).run("serve", "--model", "a model", "--threads", "3", "--precision", "BF16");

        assertThat(finished.out())
                .isEqualToIgnoringNewLines(
                        "--model|a model|--host|127.0.0.1|--port|30000|--precision|BF16|--threads|3" + "|--rows|512");
        assertThat(finished.exitCode()).isEqualTo(2);
    }
}
