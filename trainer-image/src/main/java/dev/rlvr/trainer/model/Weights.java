package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/** The weights of one model as trainable leaves in F32, in the order of {@link WeightLayout}. */
public final class Weights {
    private final ModelConfig config;
    private final List<WeightLayout.Entry> layout;
    private final List<NDArray> tensors;

    private Weights(ModelConfig config, List<NDArray> tensors) {
        this.config = config;
        this.layout = WeightLayout.of(config);
        this.tensors = List.copyOf(tensors);
        this.tensors.forEach(LibTorch::requireGradient);
    }

    /** Reads all weights of a model folder. */
    public static Weights load(NDManager owner, ModelFolder folder) {
        return fill(owner, folder.config(), entry -> folder.readF32(entry.name()));
    }

    /** Reads all weights from a file written by {@link #write}. */
    public static Weights load(NDManager owner, ModelConfig config, Safetensors file) throws IOException {
        List<NDArray> tensors = new ArrayList<>();
        for (WeightLayout.Entry entry : WeightLayout.of(config)) {
            tensors.add(Torch.tensor(owner, new Shape(entry.shape()), file.readF32(entry.name())));
        }
        return new Weights(config, tensors);
    }

    /** Fresh weights: normal with the given standard deviation for matrices, 1 for norms, 0 for biases. */
    public static Weights random(
            NDManager owner, ModelConfig config, double deviation, java.util.random.RandomGenerator random) {
        return fill(owner, config, entry -> {
            ByteBuffer values = ByteBuffer.allocateDirect(Math.toIntExact(entry.size() * Float.BYTES))
                    .order(java.nio.ByteOrder.nativeOrder());
            for (int i = 0; i < entry.size(); i++) {
                double value = entry.decayed()
                        ? random.nextGaussian() * deviation
                        : entry.name().endsWith("bias") ? 0 : 1;
                values.putFloat(i * Float.BYTES, (float) value);
            }
            return values;
        });
    }

    private static Weights fill(
            NDManager owner, ModelConfig config, java.util.function.Function<WeightLayout.Entry, ByteBuffer> values) {
        List<NDArray> tensors = new ArrayList<>();
        for (WeightLayout.Entry entry : WeightLayout.of(config)) {
            tensors.add(Torch.tensor(owner, new Shape(entry.shape()), values.apply(entry)));
        }
        return new Weights(config, tensors);
    }

    /** The model's shape. */
    public ModelConfig config() {
        return config;
    }

    /** All weights, in the order of {@link WeightLayout}. */
    public List<NDArray> all() {
        return tensors;
    }

    /** Names of the weights as in Hugging Face checkpoints, in the same order as {@link #all}. */
    public List<String> names() {
        return layout.stream().map(WeightLayout.Entry::name).toList();
    }

    /** Whether weight decay applies to the weight at that position: to matrices, not to norms and biases. */
    public boolean decayed(int position) {
        return layout.get(position).decayed();
    }

    NDArray embedding() {
        return tensors.get(WeightLayout.EMBEDDING);
    }

    NDArray finalNorm() {
        return tensors.get(WeightLayout.FINAL_NORM);
    }

    /** The output head {@code [vocabulary, hidden]}; the embedding itself where it is tied. */
    NDArray head() {
        return config.tiedHead() ? embedding() : tensors.getLast();
    }

    List<NDArray> layer(int layer) {
        int width = WeightLayout.layerWidth(config);
        int first = WeightLayout.LAYERS + layer * width;
        return tensors.subList(first, first + width);
    }

    /** Writes all weights to one safetensors file and forces it to the disk. */
    public void write(Path file) throws IOException {
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        for (int i = 0; i < tensors.size(); i++) {
            content.put(
                    layout.get(i).name(),
                    new Safetensors.Content(layout.get(i).shape(), LibTorch.buffer(tensors.get(i))));
        }
        Safetensors.write(file, content);
    }
}
