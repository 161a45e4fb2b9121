package dev.rlvr.bench;

import ai.djl.Device;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ForwardPass;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.Retention;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.TokenBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;

/**
 * Writes what Python needs to run the trainer's own math on a model folder: the TorchScript archive {@code decoder.pt} and, with
 * {@code --step}, what one forward and backward pass gave here: {@code step.json} and {@code gradients.safetensors}.
 */
final class Export {
    private static final int ROWS = 3;
    private static final int LENGTH = 24;

    private Export() {}

    public static void main(String[] args) throws IOException {
        if (args.length < 3 || args.length > 4 || (args.length == 4 && !args[3].equals("--step"))) {
            System.err.println("usage: bench/run export MODEL-FOLDER F32|BF16 OUT-FOLDER [--step]");
            System.exit(2);
        }
        Path model = Path.of(args[0]);
        Precision precision = Precision.valueOf(args[1]);
        Path out = Files.createDirectories(Path.of(args[2]));
        Files.write(out.resolve("decoder.pt"), Decoder.archive(ModelConfig.read(model), precision));
        if (args.length == 4) {
            step(model, precision, out);
            // libtorch's destructors are left out, since its threads may still be there
            Runtime.getRuntime().halt(0);
        }
    }

    /** Every third token is kept, so that what the kept ones alone go through is compared, too. */
    private static void step(Path model, Precision precision, Path out) throws IOException {
        Engine engine = Engine.open(model, precision, 1, Device.cpu(), LENGTH);
        ModelTensors gradients = engine.gradients();
        TokenBatch batch = engine.batch(ROWS, LENGTH);
        long[] kept = IntStream.range(0, batch.responseTokens())
                .filter(i -> i % 3 == 0)
                .asLongStream()
                .toArray();
        try (ForwardPass pass = engine.decoder().forward(batch, Retention.ACTIVATIONS)) {
            double loss = pass.backward(
                    kept,
                    1.0,
                    (chunk, logProbabilities, from, to) ->
                            logProbabilities.sum().div(-kept.length),
                    gradients);
            Safetensors.write(out.resolve("gradients.safetensors"), gradients.content(""));
            new ObjectMapper()
                    .writeValue(
                            out.resolve("step.json").toFile(),
                            new ObjectMapper()
                                    .createObjectNode()
                                    .put("rows", ROWS)
                                    .put("length", LENGTH)
                                    .put("keep_every", 3)
                                    .put("loss", loss));
        }
    }
}
