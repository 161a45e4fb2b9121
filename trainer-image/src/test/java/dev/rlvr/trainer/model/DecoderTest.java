package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.torch.Script;
import dev.rlvr.trainer.torch.Torch;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DecoderTest {
    private static final TokenBatch BATCH = TokenBatch.of(List.of(
            new TokenBatch.Row(List.of(5, 6, 7), List.of(9, 10, 11, 1)),
            new TokenBatch.Row(List.of(8), List.of(2, 3)),
            new TokenBatch.Row(List.of(30, 31, 5, 5, 6), List.of(40))));
    private static final long[] ALL = LongStream.range(0, 7).toArray();
    private static final double TEMPERATURE = 0.9;
    private static final Decoder.TokenLoss NEGATIVE_LOG_LIKELIHOOD =
            (scope, logProbabilities, from, to) -> logProbabilities.sum().neg();

    private NDManager owner;

    @BeforeEach
    void start() {
        owner = Torch.start(1);
    }

    @AfterEach
    void stop() {
        owner.close();
    }

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
                family != ModelConfig.Family.LLAMA,
                List.of(1));
    }

    private Weights random(ModelConfig.Family family) {
        return Weights.random(owner, tiny(family), 0.3, new SplittableRandom(1));
    }

    private ModelTensors zeros(Weights weights) {
        return ModelTensors.zeros(owner, weights.config());
    }

    /** Along its gradient, the loss rises by as much as the gradient is long: tensor by tensor. */
    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void gradientsAreTheSlopesOfTheLoss(ModelConfig.Family family) {
        Weights weights = random(family);
        try (Decoder decoder = new Decoder(owner, weights, Precision.F32, 64)) {
            long[] kept = {1, 4, 5, 6};
            ModelTensors gradients = zeros(weights);
            double loss = backward(decoder, kept, Retention.ACTIVATIONS, gradients);
            assertThat(loss).isCloseTo(loss(decoder, kept), within(1e-4));
            for (int i = 0; i < gradients.all().size(); i++) {
                float[] gradient = gradients.all().get(i).toFloatArray();
                double norm = Math.sqrt(IntStream.range(0, gradient.length)
                        .mapToDouble(k -> (double) gradient[k] * gradient[k])
                        .sum());
                double[] direction = IntStream.range(0, gradient.length)
                        .mapToDouble(k -> gradient[k] / norm)
                        .toArray();
                double quotient =
                        differenceQuotient(decoder, weights.tensors().all().get(i), direction, kept);
                assertThat(norm).as("tensor " + i).isCloseTo(quotient, within(0.01 * norm + 1e-3));
            }
        }
    }

    private static double differenceQuotient(Decoder decoder, NDArray weight, double[] direction, long[] kept) {
        double step = 5e-3;
        float[] before = weight.toFloatArray();
        double[] loss = new double[2];
        ByteBuffer values = LibTorch.buffer(weight);
        for (int side = 0; side < 2; side++) {
            for (int k = 0; k < before.length; k++) {
                values.putFloat(Float.BYTES * k, (float) (before[k] + (side == 0 ? step : -step) * direction[k]));
            }
            loss[side] = loss(decoder, kept);
        }
        values.asFloatBuffer().put(before);
        return (loss[0] - loss[1]) / (2 * step);
    }

    private static double loss(Decoder decoder, long[] kept) {
        float[] all = decoder.score(BATCH, TEMPERATURE).logProbabilities();
        return Arrays.stream(kept).mapToDouble(k -> -all[(int) k]).sum();
    }

    private static double backward(Decoder decoder, long[] kept, Retention retention, ModelTensors gradients) {
        try (ForwardPass pass = decoder.forward(BATCH, retention)) {
            return pass.backward(kept, TEMPERATURE, NEGATIVE_LOG_LIKELIHOOD, gradients);
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void computingALayerAgainGivesTheSameBits(ModelConfig.Family family) {
        Weights weights = random(family);
        try (Decoder decoder = new Decoder(owner, weights, Precision.F32, 64)) {
            ModelTensors kept = zeros(weights);
            ModelTensors again = zeros(weights);
            backward(decoder, ALL, Retention.ACTIVATIONS, kept);
            backward(decoder, ALL, Retention.INPUTS, again);
            for (int i = 0; i < kept.all().size(); i++) {
                assertThat(again.all().get(i).toFloatArray())
                        .as("tensor " + i)
                        .isEqualTo(kept.all().get(i).toFloatArray());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void theKeptOnlyHeadGivesTheGradientOfTheMaskedLoss(ModelConfig.Family family) {
        Weights weights = random(family);
        try (Decoder decoder = new Decoder(owner, weights, Precision.F32, 64)) {
            ModelTensors few = zeros(weights);
            ModelTensors masked = zeros(weights);
            backward(decoder, new long[] {1, 4, 5}, Retention.ACTIVATIONS, few);
            try (ForwardPass pass = decoder.forward(BATCH, Retention.ACTIVATIONS)) {
                pass.backward(
                        ALL,
                        TEMPERATURE,
                        (scope, logProbabilities, from, to) -> logProbabilities
                                .mul(scope.create(new float[] {0, 1, 0, 0, 1, 1, 0}))
                                .sum()
                                .neg(),
                        masked);
            }
            for (int i = 0; i < few.all().size(); i++) {
                assertThat(few.all().get(i).toFloatArray())
                        .as("tensor " + i)
                        .usingComparatorWithPrecision(2e-5f)
                        .containsExactly(masked.all().get(i).toFloatArray());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void bf16GivesNearlyTheGradientsOfF32(ModelConfig.Family family) {
        Weights weights = random(family);
        ModelTensors exact = zeros(weights);
        ModelTensors rounded = zeros(weights);
        try (Decoder f32 = new Decoder(owner, weights, Precision.F32, 64);
                Decoder bf16 = new Decoder(owner, weights, Precision.BF16, 64)) {
            assertThat(bf16.score(BATCH, TEMPERATURE).logProbabilities())
                    .usingComparatorWithPrecision(0.2f)
                    .containsExactly(f32.score(BATCH, TEMPERATURE).logProbabilities());
            backward(f32, ALL, Retention.ACTIVATIONS, exact);
            backward(bf16, ALL, Retention.ACTIVATIONS, rounded);
        }
        for (int i = 0; i < exact.all().size(); i++) {
            assertThat(cosine(exact.all().get(i), rounded.all().get(i)))
                    .as("tensor " + i)
                    .isGreaterThan(0.998);
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void whatRunsOnAnyDeviceComputesTheSame(ModelConfig.Family family) {
        Weights weights = random(family);
        ModelTensors cpu = zeros(weights);
        ModelTensors any = zeros(weights);
        try (Decoder ours = new Decoder(owner, weights, Precision.F32, 64);
                Decoder portable = new Decoder(owner, weights, Precision.F32, 64, Collectives.alone(), Target.ANY)) {
            double loss = backward(ours, ALL, Retention.ACTIVATIONS, cpu);
            assertThat(backward(portable, ALL, Retention.ACTIVATIONS, any)).isCloseTo(loss, within(1e-5));
        }
        for (int i = 0; i < cpu.all().size(); i++) {
            assertThat(cosine(cpu.all().get(i), any.all().get(i)))
                    .as("tensor " + i)
                    .isGreaterThan(0.999999);
        }
    }

    /** Without a GPU it cannot run; libtorch knows the operators all the same and checks how they are called. */
    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void whatRunsOnAGpuIsWellFormed(ModelConfig.Family family) {
        for (Precision precision : Precision.values()) {
            Script.compile(DecoderScript.of(tiny(family), precision, Target.CUDA))
                    .close();
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void aSharedPromptGivesWhatACopyForEachAnswerGives(ModelConfig.Family family) {
        List<Integer> first = List.of(5, 6, 7);
        List<Integer> second = List.of(8);
        List<TokenBatch.Row> rows = List.of(
                new TokenBatch.Row(first, List.of(9, 10, 11, 1)),
                new TokenBatch.Row(first, List.of(12)),
                new TokenBatch.Row(first, List.of(9, 3, 2)),
                new TokenBatch.Row(second, List.of(2, 3)));
        TokenBatch apart = TokenBatch.of(rows);
        TokenBatch shared = new TokenBatch(
                List.of(new TokenBatch.Line(rows.subList(0, 3)), new TokenBatch.Line(rows.subList(3, 4))));
        Weights weights = random(family);
        for (Target target : List.of(Target.CPU, Target.ANY)) {
            ModelTensors expected = zeros(weights);
            ModelTensors gradients = zeros(weights);
            try (Decoder decoder = new Decoder(owner, weights, Precision.F32, 64, Collectives.alone(), target);
                    ForwardPass copies = decoder.forward(apart, Retention.ACTIVATIONS);
                    ForwardPass once = decoder.forward(shared, Retention.INPUTS)) {
                assertThat(once.score(TEMPERATURE).entropies())
                        .usingComparatorWithPrecision(1e-5f)
                        .containsExactly(copies.score(TEMPERATURE).entropies());
                long[] kept = {0, 2, 4, 5, 7, 8};
                double loss = copies.backward(kept, TEMPERATURE, NEGATIVE_LOG_LIKELIHOOD, expected);
                assertThat(once.backward(kept, TEMPERATURE, NEGATIVE_LOG_LIKELIHOOD, gradients))
                        .isCloseTo(loss, within(1e-4));
            }
            for (int i = 0; i < expected.all().size(); i++) {
                assertThat(gradients.all().get(i).toFloatArray())
                        .as("tensor " + i)
                        .usingComparatorWithPrecision(3e-5f)
                        .containsExactly(expected.all().get(i).toFloatArray());
            }
        }
    }

    private static double cosine(NDArray a, NDArray b) {
        float[] x = a.toFloatArray();
        float[] y = b.toFloatArray();
        double dot = 0;
        double xx = 0;
        double yy = 0;
        for (int i = 0; i < x.length; i++) {
            dot += (double) x[i] * y[i];
            xx += (double) x[i] * x[i];
            yy += (double) y[i] * y[i];
        }
        return dot / Math.sqrt(xx * yy);
    }

    @Test
    void bf16FollowsItsMasterWeightsOnceToldTo() {
        Weights weights = random(ModelConfig.Family.QWEN2);
        try (Decoder decoder = new Decoder(owner, weights, Precision.BF16, 64)) {
            float[] before = decoder.score(BATCH, TEMPERATURE).logProbabilities();
            weights.tensors().all().forEach(tensor -> tensor.muli(1.5));
            decoder.refresh();
            float[] after = decoder.score(BATCH, TEMPERATURE).logProbabilities();
            try (Decoder fresh = new Decoder(owner, weights, Precision.BF16, 64)) {
                assertThat(after).isEqualTo(fresh.score(BATCH, TEMPERATURE).logProbabilities());
            }
            assertThat(after).isNotEqualTo(before);
        }
    }

    @Test
    void aPassThatKeptNothingCannotGoBackward() {
        Weights weights = random(ModelConfig.Family.LLAMA);
        try (Decoder decoder = new Decoder(owner, weights, Precision.F32, 64)) {
            assertThatThrownBy(() -> backward(decoder, ALL, Retention.NOTHING, zeros(weights)))
                    .isInstanceOf(IllegalStateException.class);
        }
    }
}
