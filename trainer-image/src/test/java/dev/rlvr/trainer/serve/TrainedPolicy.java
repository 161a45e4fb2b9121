package dev.rlvr.trainer.serve;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.TinyModel;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.AnswerSource.Settings;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.rollout.Sampler;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** The policy that is trained, with other weights than the servers start with, and what it answers itself. */
final class TrainedPolicy implements AutoCloseable {
    static final int PROMPTS = 24;

    private final Path model;
    private final NDManager owner = Torch.start(1);
    private Decoder decoder;
    private Sampler sampler;

    TrainedPolicy(Path folder) throws IOException {
        this.model = TinyModel.write(folder, ModelConfig.Family.QWEN3);
        this.decoder = decoder(7);
        this.sampler = sampler();
    }

    private Decoder decoder(int seed) {
        Weights weights =
                Weights.random(owner, TinyModel.config(ModelConfig.Family.QWEN3), 0.4, new SplittableRandom(seed));
        return new Decoder(owner, weights, Precision.F32, 64);
    }

    private Sampler sampler() {
        return new Sampler(decoder, owner, () -> false);
    }

    /** Gives it other weights. */
    void change(int seed) {
        decoder.close();
        decoder = decoder(seed);
        sampler = sampler();
    }

    /** What the servers start with. */
    Path model() {
        return model;
    }

    void export(Path target) throws IOException {
        ModelTensors tensors = decoder.weights().tensors();
        ModelFolder.open(model)
                .export(
                        target,
                        IntStream.range(0, tensors.units())
                                .mapToObj(tensors::unit)
                                .iterator());
    }

    static List<List<Integer>> prompts() {
        List<List<Integer>> prompts = new ArrayList<>();
        for (int p = 0; p < PROMPTS; p++) {
            List<Integer> prompt = new ArrayList<>();
            for (int t = 0; t < 2 + p % 9; t++) {
                prompt.add(2 + (7 * p + 3 * t) % 49);
            }
            prompts.add(prompt);
        }
        return prompts;
    }

    static AnswerSource.Streams streams() {
        return (prompt, answer) -> new SplitMix64(5, prompt, answer);
    }

    /** Its own answers to the prompts. */
    List<List<Sample>> answers(Settings settings) {
        return answers(settings, streams());
    }

    List<List<Sample>> answers(Settings settings, AnswerSource.Streams streams) {
        return sampler.sample(prompts(), settings, streams);
    }

    static void assertEqual(List<List<Sample>> samples, List<List<Sample>> expected) {
        for (int p = 0; p < expected.size(); p++) {
            assertThat(samples.get(p)).hasSameSizeAs(expected.get(p));
            for (int a = 0; a < expected.get(p).size(); a++) {
                Sample sample = samples.get(p).get(a);
                Sample wanted = expected.get(p).get(a);
                assertThat(sample.tokens()).as("prompt %s, answer %s", p, a).isEqualTo(wanted.tokens());
                assertThat(sample.logProbabilities())
                        .usingComparatorWithPrecision(1e-5f)
                        .containsExactly(wanted.logProbabilities());
                assertThat(sample.ended()).isEqualTo(wanted.ended());
                assertThat(sample.entropies()).hasSize(wanted.length()).containsOnly(Float.NaN);
            }
        }
    }

    @Override
    public void close() {
        decoder.close();
        owner.close();
    }
}
