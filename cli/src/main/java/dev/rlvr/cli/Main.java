package dev.rlvr.cli;

import dev.rlvr.cli.local.UserException;
import dev.rlvr.crds.ManifestException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code rlvr}: exit codes are 0 done, 1 failed, 2 wrong input, 128 + n stopped by signal n. */
@Command(
        name = "rlvr",
        description =
                "Reinforcement learning with verifiable rewards on forking tokens, on this machine or on Kubernetes.",
        mixinStandardHelpOptions = true,
        versionProvider = VersionCommand.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            RunCommand.class,
            StatusCommand.class,
            ReportCommand.class,
            EntropyCommand.class,
            ServeCommand.class,
            OperatorCommand.class,
            ImageCommand.class,
            PretrainCommand.class,
            LauncherCommands.Test.class,
            LauncherCommands.Format.class,
            VersionCommand.class
        },
        footer = {"", "Try:  ./rlvr run examples/quickstart/rlvrjob.yaml"})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    Main() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setUsageHelpLongOptionsMaxWidth(28)
                .setExecutionExceptionHandler((exception, command, _) -> report(exception, command));
    }

    private static int report(Exception exception, CommandLine command) {
        PrintWriter err = command.getErr();
        if (exception instanceof UserException || exception instanceof ManifestException) {
            err.println(exception.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        err.println("rlvr: " + exception);
        return CommandLine.ExitCode.SOFTWARE;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
