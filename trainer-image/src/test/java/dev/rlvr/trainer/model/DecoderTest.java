package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Torch;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DecoderTest {
    private static ModelConfig tiny(ModelConfig.Family family) {
        return new ModelConfig(
                family,
                41,
                32,
                48,
                2,
                4,
                2,
                8,
                1e-6,
                10_000,
                64,
                family != ModelConfig.Family.LLAMA,
                family == ModelConfig.Family.QWEN2,
                List.of(1));
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void whatTheSamplerSaysOfItsTokensIsWhatTheTrainerSays(ModelConfig.Family family) {
        try (NDManager owner = Torch.start(1);
                Decoder decoder =
                        new Decoder(owner, Weights.random(owner, tiny(family), 0.3, new SplittableRandom(1)), 64)) {
            List<List<Integer>> prompts = List.of(List.of(5, 6, 7, 8, 9), List.of(3), List.of(11, 12, 13));
            SplittableRandom random = new SplittableRandom(2);
            int repeats = 2;
            try (Decoding decoding =
                    decoder.decode(owner, prompts, repeats, random.doubles(6).toArray(), 0.7)) {
                Decoding.Drawn first = decoding.first();
                Decoding.Drawn more = decoding.advance(7, random.doubles(42).toArray());
                List<TokenBatch.Row> rows = IntStream.range(0, 6)
                        .mapToObj(row -> new TokenBatch.Row(
                                prompts.get(row / repeats),
                                IntStream.range(0, 8)
                                        .mapToObj(t ->
                                                (int) (t == 0 ? first.tokens()[row] : more.tokens()[row * 7 + t - 1]))
                                        .toList()))
                        .toList();
                Decoder.Scores scores = decoder.score(owner, new TokenBatch(rows), 0.7);
                float[] logProbabilities = scores.logProbabilities().toFloatArray();
                float[] entropies = scores.entropies().toFloatArray();
                for (int row = 0; row < 6; row++) {
                    for (int t = 0; t < 8; t++) {
                        float lp = t == 0 ? first.logProbabilities()[row] : more.logProbabilities()[row * 7 + t - 1];
                        float h = t == 0 ? first.entropies()[row] : more.entropies()[row * 7 + t - 1];
                        assertThat(lp).isCloseTo(logProbabilities[row * 8 + t], within(1e-4f));
                        assertThat(h).isCloseTo(entropies[row * 8 + t], within(1e-4f));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void theKeptOnlyHeadGivesTheGradientOfTheMaskedLoss(ModelConfig.Family family) {
        try (NDManager owner = Torch.start(1)) {
            Weights weights = Weights.random(owner, tiny(family), 0.3, new SplittableRandom(1));
            try (Decoder decoder = new Decoder(owner, weights, 64)) {
                TokenBatch batch = new TokenBatch(List.of(
                        new TokenBatch.Row(List.of(5, 6, 7), List.of(9, 10, 11, 1)),
                        new TokenBatch.Row(List.of(8), List.of(2, 3))));
                long[] kept = {1, 4, 5};
                Decoder.ForwardPass pass = decoder.forward(owner, batch);
                double loss = pass.backward(
                        owner.create(kept),
                        0.9,
                        (scope, lp, from, to) -> lp.sum().neg());
                Decoder.Scores scores = decoder.score(owner, batch, 0.9);
                float[] all = scores.logProbabilities().toFloatArray();
                assertThat(loss).isCloseTo(-(all[1] + all[4] + all[5]), within(1e-4));
                int position = WeightLayout.LAYERS + 1;
                NDArray gradient = ai.djl.pytorch.jni.LibTorch.gradient(
                                owner, weights.all().get(position))
                        .orElseThrow();
                double numeric = numericGradient(owner, decoder, weights.all().get(position), batch, kept);
                assertThat((double) gradient.getFloat(0, 0))
                        .isCloseTo(numeric, within(2e-2 * Math.abs(numeric) + 1e-3));
            }
        }
    }

    private static double numericGradient(
            NDManager owner, Decoder decoder, NDArray weight, TokenBatch batch, long[] kept) {
        float step = 1e-2f;
        var buffer = ai.djl.pytorch.jni.LibTorch.buffer(weight);
        float before = buffer.getFloat(0);
        double[] sums = new double[2];
        for (int side = 0; side < 2; side++) {
            buffer.putFloat(0, before + (side == 0 ? step : -step));
            float[] lp = decoder.score(owner, batch, 0.9).logProbabilities().toFloatArray();
            for (long k : kept) {
                sums[side] -= lp[(int) k];
            }
        }
        buffer.putFloat(0, before);
        return (sums[0] - sums[1]) / (2 * step);
    }
}
