package dev.rlvr.cli;

import dev.rlvr.cli.local.UserException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Commands that are Maven's own work: the launcher script runs them, here they are only listed. */
final class LauncherCommands {
    private LauncherCommands() {}

    private static void onlyByLauncher(String command) {
        throw new UserException("'" + command + "' is run by the launcher: ./rlvr " + command);
    }

    @Command(
            name = "test",
            description = "Build every module, run all tests and check the format.",
            mixinStandardHelpOptions = true)
    static final class Test implements Runnable {
        @Parameters(arity = "0..1", paramLabel = "MODULE", description = "Run the tests of this module only.")
        private @Nullable String module;

        @Override
        public void run() {
            onlyByLauncher(module == null ? "test" : "test " + module);
        }
    }

    @Command(name = "format", description = "Format all Java sources.", mixinStandardHelpOptions = true)
    static final class Format implements Runnable {
        @Override
        public void run() {
            onlyByLauncher("format");
        }
    }
}
