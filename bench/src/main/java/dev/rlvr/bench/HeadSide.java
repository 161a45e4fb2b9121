package dev.rlvr.bench;

import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.trainer.model.ForwardPass;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Retention;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.objective.ForkingTokenMask;
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
    private final ModelTensors gradients;
    private final TokenBatch batch;

    private HeadSide(SideOptions options) {
        engine = options.engine(options.length());
        gradients = engine.gradients();
        batch = engine.batch(options.rows(), options.length());
    }

    public static void main(String[] args) {
        SideLoop.serve(() -> new HeadSide(SideOptions.of(args)));
    }

    @Override
    public double round() {
        try (ForwardPass pass = engine.decoder().forward(batch, Retention.ACTIVATIONS)) {
            float[] entropies = pass.score(1.0).entropies();
            ForkingTokenMask mask = ForkingTokenMask.select(entropies, FORKING, new SplittableRandom(0));
            long[] kept = IntStream.range(0, entropies.length)
                    .filter(i -> mask.kept()[i])
                    .asLongStream()
                    .toArray();
            return pass.backward(
                    kept,
                    1.0,
                    (chunk, logProbabilities, from, to) ->
                            logProbabilities.sum().div(-kept.length),
                    gradients);
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
