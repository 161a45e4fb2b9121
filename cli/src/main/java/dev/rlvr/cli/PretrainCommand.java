package dev.rlvr.cli;

import dev.rlvr.cli.local.TrainerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "pretrain",
        description = "Make the quickstart's problems, tokenizer and base model anew (docs/quickstart.md).",
        mixinStandardHelpOptions = true)
final class PretrainCommand implements Callable<Integer> {
    private static final String PACKAGE = "dev.rlvr.trainer.quickstart.";

    @Parameters(paramLabel = "DIR", description = "Folder to write to; in a checkout examples/quickstart.")
    private Path folder = Path.of("");

    @Option(names = "--steps", defaultValue = "2000", description = "Gradient steps. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--threads",
            defaultValue = "1",
            description = "CPU threads; the committed model was made with one. Default: ${DEFAULT-VALUE}.")
    private int threads;

    @Override
    public Integer call() throws IOException, InterruptedException {
        TrainerProcess trainer = Checkout.current().trainer();
        int written = trainer.run(PACKAGE + "QuickstartData", threads, List.of(folder.toString()));
        if (written != 0) {
            return written;
        }
        return trainer.run(
                PACKAGE + "Pretrain",
                threads,
                List.of(folder.resolve("model").toString(), Integer.toString(steps), Integer.toString(threads)));
    }
}
