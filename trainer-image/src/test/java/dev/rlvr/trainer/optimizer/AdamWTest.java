package dev.rlvr.trainer.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.crds.AlgorithmSpec.Optimizer.Schedule;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.TensorFiles;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.objective.DivergedException;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdamWTest {
    private static final ModelConfig CONFIG =
            new ModelConfig(ModelConfig.Family.QWEN2, 5, 4, 6, 1, 2, 1, 2, 1e-6, 10_000, 16, false, true, List.of(1));
    private static final Optimizer NO_CLIP = new Optimizer(0.01, 0, 0.1, 0.9, 0.99, 1e-8, 0, Schedule.Constant);
    private static final Optimizer CLIP_AT_ONE = new Optimizer(0.01, 0, 0.1, 0.9, 0.99, 1e-8, 1, Schedule.Constant);

    @TempDir
    Path folder;

    private NDManager owner;

    @BeforeEach
    void start() {
        owner = Torch.start(1);
    }

    @AfterEach
    void stop() {
        owner.close();
    }

    private Weights weights() {
        return Weights.random(owner, CONFIG, 0.3, new SplittableRandom(1));
    }

    /** Gradients of every weight at a step, the same whenever they are asked for. */
    private static List<float[]> gradients(Weights weights, long step, double size) {
        SplittableRandom random = new SplittableRandom(step);
        List<float[]> gradients = new ArrayList<>();
        for (NDArray weight : weights.tensors().all()) {
            float[] values = new float[Math.toIntExact(weight.size())];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (size * random.nextGaussian());
            }
            gradients.add(values);
        }
        return gradients;
    }

    /** Adds to a gradient as training does: in place. */
    private static void accumulate(NDArray sum, float[] gradient) {
        try (NDManager scope = sum.getManager().newSubManager()) {
            sum.addi(scope.create(gradient, sum.getShape()));
        }
    }

    private static double step(AdamW optimizer, ModelTensors sums, List<float[]> gradients, double learningRate) {
        for (int i = 0; i < gradients.size(); i++) {
            accumulate(sums.all().get(i), gradients.get(i));
        }
        return optimizer.step(sums, 1, learningRate);
    }

    private ModelTensors sums() {
        return ModelTensors.zeros(owner, CONFIG);
    }

    private static List<String> names(Weights weights) {
        return List.copyOf(weights.tensors().content("").keySet());
    }

    private static List<float[]> values(Weights weights) {
        return weights.tensors().all().stream().map(NDArray::toFloatArray).toList();
    }

    private static double norm(List<float[]> gradients) {
        double squares = 0;
        for (float[] gradient : gradients) {
            for (float g : gradient) {
                squares += (double) g * g;
            }
        }
        return Math.sqrt(squares);
    }

    /** AdamW of one scalar as its paper and PyTorch's documentation write it, in doubles. */
    private static final class Scalar {
        private final Optimizer settings;
        private final double decay;
        private double value;
        private double first;
        private double second;
        private int steps;

        Scalar(Optimizer settings, double decay, double value) {
            this.settings = settings;
            this.decay = decay;
            this.value = value;
        }

        void step(double gradient, double learningRate) {
            steps++;
            value -= learningRate * decay * value;
            first = settings.beta1() * first + (1 - settings.beta1()) * gradient;
            second = settings.beta2() * second + (1 - settings.beta2()) * gradient * gradient;
            double unbiasedFirst = first / (1 - Math.pow(settings.beta1(), steps));
            double unbiasedSecond = second / (1 - Math.pow(settings.beta2(), steps));
            value -= learningRate * unbiasedFirst / (Math.sqrt(unbiasedSecond) + settings.epsilon());
        }
    }

    private static List<List<Scalar>> scalars(Weights weights, Optimizer settings) {
        List<List<Scalar>> scalars = new ArrayList<>();
        for (int i = 0; i < weights.tensors().all().size(); i++) {
            boolean matrix = weights.tensors().all().get(i).getShape().dimension() == 2;
            List<Scalar> here = new ArrayList<>();
            for (float value : weights.tensors().all().get(i).toFloatArray()) {
                here.add(new Scalar(settings, matrix ? settings.weightDecay() : 0, value));
            }
            scalars.add(here);
        }
        return scalars;
    }

    private void compare(Optimizer settings, double gradientSize, double expectedScale) {
        Weights weights = weights();
        List<List<Scalar>> scalars = scalars(weights, settings);
        ModelTensors sums = sums();
        try (AdamW optimizer = AdamW.start(owner, weights, settings)) {
            for (int step = 1; step <= 4; step++) {
                List<float[]> gradients = gradients(weights, step, gradientSize);
                double learningRate = 0.01 * step;
                double norm = norm(gradients);
                double scale = expectedScale == 1 ? 1 : settings.gradientClip() / norm;

                assertThat(step(optimizer, sums, gradients, learningRate))
                        .as("the norm before clipping")
                        .isCloseTo(norm, within(1e-5 * norm));
                for (int i = 0; i < scalars.size(); i++) {
                    float[] now = weights.tensors().all().get(i).toFloatArray();
                    for (int k = 0; k < now.length; k++) {
                        Scalar scalar = scalars.get(i).get(k);
                        scalar.step(scale * gradients.get(i)[k], learningRate);
                        assertThat((double) now[k])
                                .as("step %s, tensor %s[%s]", step, i, k)
                                .isCloseTo(scalar.value, within(2e-6));
                    }
                }
            }
            assertThat(optimizer.steps()).isEqualTo(4);
        }
    }

    @Test
    void fourStepsAreThoseOfTheBooks() {
        compare(NO_CLIP, 3, 1);
    }

    @Test
    void aLongGradientIsCutToTheNormAskedFor() {
        compare(CLIP_AT_ONE, 3, 0);
    }

    @Test
    void aShortGradientIsTakenAsItIs() {
        compare(CLIP_AT_ONE, 1e-3, 1);
    }

    @Test
    void onlyMatricesDecay() {
        Weights weights = weights();
        List<float[]> before = values(weights);
        try (AdamW optimizer = AdamW.start(owner, weights, NO_CLIP)) {
            // no gradient at all: whatever moves, moves by decay
            assertThat(optimizer.step(sums(), 1, 0.5)).isZero();
        }

        for (int i = 0; i < before.size(); i++) {
            boolean matrix = weights.tensors().all().get(i).getShape().dimension() == 2;
            float[] now = weights.tensors().all().get(i).toFloatArray();
            for (int k = 0; k < now.length; k++) {
                float expected = matrix ? before.get(i)[k] * 0.95f : before.get(i)[k];
                assertThat(now[k]).as("tensor " + i).isCloseTo(expected, within(1e-6f));
            }
        }
        assertThat(names(weights).stream().filter(name -> name.endsWith("bias") || name.contains("norm")))
                .as("what must not decay is in the model")
                .hasSize(6);
    }

    @Test
    void gradientsOfSeveralPassesAddUpAndAreGoneAfterTheStep() {
        Weights whole = weights();
        Weights parts = weights();
        try (AdamW once = AdamW.start(owner, whole, NO_CLIP);
                AdamW twice = AdamW.start(owner, parts, NO_CLIP)) {
            ModelTensors sums = sums();
            ModelTensors partSums = sums();
            List<float[]> gradients = gradients(whole, 1, 0.5);
            List<float[]> halves = gradients(whole, 1, 0.25);
            for (int step = 0; step < 2; step++) {
                double norm = step(once, sums, gradients, 0.01);
                for (int i = 0; i < halves.size(); i++) {
                    accumulate(partSums.all().get(i), halves.get(i));
                }
                assertThat(step(twice, partSums, halves, 0.01)).isCloseTo(norm, within(1e-5));
            }
        }

        for (int i = 0; i < whole.tensors().all().size(); i++) {
            assertThat(parts.tensors().all().get(i).toFloatArray())
                    .usingComparatorWithPrecision(1e-6f)
                    .containsExactly(whole.tensors().all().get(i).toFloatArray());
        }
    }

    @Test
    void sumsOverTokensAreDividedBeforeTheyAreClipped() {
        Weights summed = weights();
        Weights divided = weights();
        try (AdamW first = AdamW.start(owner, summed, CLIP_AT_ONE);
                AdamW second = AdamW.start(owner, divided, CLIP_AT_ONE)) {
            ModelTensors sums = sums();
            List<float[]> gradients = gradients(summed, 1, 8 * 3);
            for (int i = 0; i < gradients.size(); i++) {
                accumulate(sums.all().get(i), gradients.get(i));
            }
            double norm = first.step(sums, 8, 0.01);
            assertThat(step(second, sums(), gradients(divided, 1, 3), 0.01)).isCloseTo(norm, within(1e-4));
        }
        for (int i = 0; i < summed.tensors().all().size(); i++) {
            assertThat(summed.tensors().all().get(i).toFloatArray())
                    .usingComparatorWithPrecision(1e-6f)
                    .containsExactly(divided.tensors().all().get(i).toFloatArray());
        }
    }

    @Test
    void aGradientThatIsNotFiniteChangesNothing() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            Weights weights = weights();
            List<float[]> before = values(weights);
            List<float[]> gradients = gradients(weights, 1, 1);
            gradients.getLast()[2] = bad;
            ModelTensors sums = sums();
            try (AdamW optimizer = AdamW.start(owner, weights, CLIP_AT_ONE)) {
                assertThatThrownBy(() -> step(optimizer, sums, gradients, 0.01))
                        .isInstanceOf(DivergedException.class)
                        .hasMessageContaining("gradient norm");

                assertThat(optimizer.steps()).isZero();
            }
            assertThat(values(weights)).usingRecursiveComparison().isEqualTo(before);
        }
    }

    @Test
    void anOptimizerThatWasWrittenAndReadGoesOnToTheBit() throws IOException {
        Weights ahead = weights();
        List<float[]> atTheEnd;
        ModelTensors sums = sums();
        Path weightsFile = folder.resolve("model.safetensors");
        Path momentsFile = folder.resolve("optimizer.safetensors");
        try (AdamW optimizer = AdamW.start(owner, ahead, CLIP_AT_ONE)) {
            for (int step = 1; step <= 3; step++) {
                step(optimizer, sums, gradients(ahead, step, 1), 0.01);
            }
            ahead.write(weightsFile);
            Safetensors.write(momentsFile, optimizer.content());
            for (int step = 4; step <= 6; step++) {
                step(optimizer, sums, gradients(ahead, step, 1), 0.01);
            }
            atTheEnd = values(ahead);
        }

        Weights resumed = Weights.load(owner, CONFIG, weightsFile);
        try (AdamW optimizer =
                AdamW.start(owner, resumed, CLIP_AT_ONE).resume(TensorFiles.open(List.of(momentsFile)), 3)) {
            assertThat(optimizer.steps()).isEqualTo(3);
            for (int step = 4; step <= 6; step++) {
                step(optimizer, sums, gradients(resumed, step, 1), 0.01);
            }
            assertThat(optimizer.steps()).isEqualTo(6);
        }

        assertThat(values(resumed)).usingRecursiveComparison().isEqualTo(atTheEnd);
    }

    @Test
    void resumingWithAnotherNumberOfStepsIsNoticed() throws IOException {
        Weights weights = weights();
        Path file = folder.resolve("optimizer.safetensors");
        ModelTensors sums = sums();
        try (AdamW optimizer = AdamW.start(owner, weights, NO_CLIP)) {
            step(optimizer, sums, gradients(weights, 1, 1), 0.01);
            Safetensors.write(file, optimizer.content());
        }
        List<float[]> results = new ArrayList<>();
        for (long steps : new long[] {1, 100}) {
            Weights resumed = weights();
            try (AdamW optimizer =
                    AdamW.start(owner, resumed, NO_CLIP).resume(TensorFiles.open(List.of(file)), steps)) {
                step(optimizer, sums, gradients(resumed, 2, 1), 0.01);
            }
            results.add(resumed.tensors().all().getFirst().toFloatArray());
        }

        assertThat(results.get(0)).as("the bias correction depends on it").isNotEqualTo(results.get(1));
    }
}
