package dev.rlvr.bench;

import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.objective.ForkingTokenMask;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Entropies of all tokens, then the mean loss of the forking fifth and its gradients, of a model that is nearly all head. Its check is the
 * loss; its memory what a round needs on top of weights and gradients.
 */
final class HeadSide implements SideLoop.Work {
    private static final ForkingTokens FORKING = new ForkingTokens(
            ForkingTokens.Select.HighestEntropy,
            0.2,
            null,
            ForkingTokens.Scope.MiniBatch,
            ForkingTokens.Denominator.Kept,
            ForkingTokens.EntropyFrom.Current);

    private final Engine engine;
    private final TokenBatch batch;

    private HeadSide(SideOptions options) {
        engine = options.engine(options.length());
        int vocabulary = engine.weights().config().vocabulary();
        List<TokenBatch.Row> rows = new ArrayList<>();
        for (int row = 0; row < options.rows(); row++) {
            List<Integer> ids = SideOptions.ids(row, options.length(), vocabulary);
            rows.add(new TokenBatch.Row(ids.subList(0, 1), ids.subList(1, ids.size())));
        }
        batch = new TokenBatch(rows);
    }

    public static void main(String[] args) {
        SideLoop.serve(() -> new HeadSide(SideOptions.of(args)));
    }

    @Override
    public double round() {
        try (NDManager scope = engine.owner().newSubManager()) {
            Decoder.ForwardPass pass = engine.decoder().forward(scope, batch);
            float[] entropies = pass.score(1.0).entropies().toFloatArray();
            ForkingTokenMask mask = ForkingTokenMask.select(entropies, FORKING, new SplittableRandom(0));
            long[] kept = IntStream.range(0, entropies.length)
                    .filter(i -> mask.kept()[i])
                    .asLongStream()
                    .toArray();
            return pass.backward(
                    scope.create(kept),
                    1.0,
                    (chunk, logProbabilities, from, to) ->
                            logProbabilities.sum().div(-kept.length));
        }
    }

    @Override
    public boolean countsMemoryOfRound() {
        return true;
    }

    @Override
    public void close() {
        engine.close();
    }
}
