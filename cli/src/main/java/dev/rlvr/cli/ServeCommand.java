package dev.rlvr.cli;

import dev.rlvr.cli.local.TrainerProcess;
import dev.rlvr.crds.TrainerSpec.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "serve",
        description = {
            "Answer prompts over HTTP, as a rollout server for jobs with rollout.engine: Sglang (docs/rollout-servers.md).",
            "Ctrl-C or SIGTERM ends it. There is no access control: whoever reaches the port may use it."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it was stopped",
            "1:the model failed",
            "2:an option or the model is wrong, or the port is taken"
        })
final class ServeCommand implements Callable<Integer> {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "Hugging Face folder of a Llama, Qwen2 or Qwen3 model: what is served until a trainer"
                    + " sends other weights.")
    private Path model = Path.of("");

    @Option(
            names = "--host",
            defaultValue = "127.0.0.1",
            description = "Address to listen at; 0.0.0.0 is all. Default: ${DEFAULT-VALUE}.")
    private String host = "";

    @Option(
            names = "--port",
            defaultValue = "30000",
            description = "Port; 0 takes a free one. Default: ${DEFAULT-VALUE}.")
    private int port;

    @Option(
            names = "--precision",
            defaultValue = "F32",
            description = "Number format of matrix products: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Precision precision = Precision.F32;

    @Option(names = "--threads", description = "CPU threads. Default: one per processor.")
    private @Nullable Integer threads;

    @Option(
            names = "--rows",
            defaultValue = "512",
            description =
                    "Answers written at the same time, at most: fewer take less memory. Default: ${DEFAULT-VALUE}.")
    private int rows;

    @Override
    public Integer call() throws IOException, InterruptedException {
        int count = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        return Checkout.current()
                .trainer()
                .run(
                        TrainerProcess.SERVER,
                        count,
                        List.of(
                                "--model", model.toString(),
                                "--host", host,
                                "--port", Integer.toString(port),
                                "--precision", precision.name(),
                                "--threads", Integer.toString(count),
                                "--rows", Integer.toString(rows)));
    }
}
