package dev.rlvr.bench;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.optimizer.AdamW;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** A training step on all tokens: forward, cross entropy, backward, clipping, AdamW. Its check is the loss. */
final class TrainingSide implements SideLoop.Work {
    private final Engine engine;
    private final AdamW optimizer;
    private final TokenBatch batch;

    private TrainingSide(SideOptions options) {
        engine = options.engine(options.length());
        optimizer = engine.optimizer();
        int vocabulary = engine.weights().config().vocabulary();
        List<TokenBatch.Row> rows = new ArrayList<>();
        for (int row = 0; row < options.rows(); row++) {
            List<Integer> ids = SideOptions.ids(row, options.length(), vocabulary);
            rows.add(new TokenBatch.Row(ids.subList(0, 1), ids.subList(1, ids.size())));
        }
        batch = new TokenBatch(rows);
    }

    public static void main(String[] args) {
        SideLoop.serve(() -> new TrainingSide(SideOptions.of(args)));
    }

    @Override
    public double round() {
        try (NDManager scope = engine.owner().newSubManager()) {
            int tokens = batch.responseTokens();
            Decoder.ForwardPass pass = engine.decoder().forward(scope, batch);
            double loss = pass.backward(
                    scope.create(LongStream.range(0, tokens).toArray()),
                    1.0,
                    (chunk, logProbabilities, from, to) ->
                            logProbabilities.sum().div(-tokens));
            optimizer.step(Engine.OPTIMIZER.learningRate());
            return loss;
        }
    }

    @Override
    public void close() {
        optimizer.close();
        engine.close();
    }
}
