package dev.rlvr.cli;

import dev.rlvr.crds.TrainerSpec.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "entropy",
        description = {
            "Write the log-probability and the entropy of each token of given texts under a model (docs/entropy.md).",
            "Both are in nats over the full vocabulary. Entry i belongs to the distribution that token i was drawn from; the"
                    + " first is null."
        },
        mixinStandardHelpOptions = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the output is written",
            "1:the model failed",
            "2:an option, the model or a line of the input is wrong; nothing was written",
            "75:reading or writing failed, for example because the disk is full"
        })
final class EntropyCommand implements Callable<Integer> {
    private static final String MAIN_CLASS = "dev.rlvr.trainer.entropy.Entropy";

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR",
            description = "Hugging Face folder of a Llama, Qwen2 or Qwen3 model.")
    private Path model = Path.of("");

    @Option(
            names = "--input",
            required = true,
            paramLabel = "FILE.jsonl",
            description = "Lines with id and text, or with id and token_ids. A text becomes tokens as the folder's"
                    + " tokenizer.json has it, with the special tokens that it adds.")
    private Path input = Path.of("");

    @Option(
            names = "--output",
            required = true,
            paramLabel = "FILE.jsonl",
            description =
                    "Lines with id, token_ids, logprobs and entropies, in the order of the input. An older file is"
                            + " replaced, when all is done.")
    private Path output = Path.of("");

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "1",
            description = "What logits are divided by, over 0. Default: ${DEFAULT-VALUE}.")
    private double temperature;

    @Option(
            names = "--precision",
            defaultValue = "F32",
            description = "Number format of matrix products: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Precision precision = Precision.F32;

    @Option(names = "--threads", description = "CPU threads. Default: one per processor.")
    private @Nullable Integer threads;

    @Override
    public Integer call() throws IOException, InterruptedException {
        int count = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        return Checkout.current()
                .trainer()
                .run(
                        MAIN_CLASS,
                        count,
                        List.of(
                                "--model", model.toString(),
                                "--input", input.toString(),
                                "--output", output.toString(),
                                "--temperature", Double.toString(temperature),
                                "--precision", precision.name(),
                                "--threads", Integer.toString(count)));
    }
}
