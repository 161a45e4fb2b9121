package dev.rlvr.bench;

import dev.rlvr.trainer.model.ForwardPass;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Retention;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.optimizer.AdamW;
import java.util.stream.LongStream;

/** A training step on all tokens: forward, cross entropy, backward, clipping, AdamW. Its check is the loss. */
final class TrainingSide implements SideLoop.Work {
    private final Engine engine;
    private final AdamW optimizer;
    private final ModelTensors gradients;
    private final TokenBatch batch;

    private TrainingSide(SideOptions options) {
        engine = options.engine(options.length());
        optimizer = engine.optimizer();
        gradients = engine.gradients();
        batch = engine.batch(options.rows(), options.length());
    }

    public static void main(String[] args) {
        SideLoop.serve(() -> new TrainingSide(SideOptions.of(args)));
    }

    @Override
    public double round() {
        int tokens = batch.responseTokens();
        try (ForwardPass pass = engine.decoder().forward(batch, Retention.ACTIVATIONS)) {
            double loss = pass.backward(
                    LongStream.range(0, tokens).toArray(),
                    1.0,
                    (chunk, logProbabilities, from, to) ->
                            logProbabilities.sum().neg(),
                    gradients);
            optimizer.step(gradients, tokens, Engine.OPTIMIZER.learningRate());
            engine.decoder().refresh();
            return loss / tokens;
        }
    }

    @Override
    public void close() {
        optimizer.close();
        engine.close();
    }
}
