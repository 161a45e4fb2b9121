package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.random.RandomGenerator;

/** The master weights of one model, in F32. */
public final class Weights {
    private final ModelConfig config;
    private final ModelTensors tensors;

    private Weights(ModelConfig config, ModelTensors tensors) {
        this.config = config;
        this.tensors = tensors;
    }

    /** Weights in tensors that are filled already. */
    public static Weights of(ModelTensors tensors) {
        return new Weights(tensors.config(), tensors);
    }

    /** Reads all weights of a model folder. */
    public static Weights load(NDManager owner, ModelFolder folder) {
        return load(ModelTensors.zeros(owner, folder.config()), folder);
    }

    /** Reads the weights of a model folder into tensors, or the share of them that these hold. */
    public static Weights load(ModelTensors tensors, ModelFolder folder) {
        return of(tensors.fill((part, from, to, target) -> folder.readF32(part.name(), from, to, target)));
    }

    /** Reads all weights from a file written by {@link #write}. */
    public static Weights load(NDManager owner, ModelConfig config, Path file) throws IOException {
        return of(ModelTensors.zeros(owner, config).read(TensorFiles.open(List.of(file)), ""));
    }

    /** Fresh weights: normal with the given standard deviation for matrices, 1 for norms, 0 for biases. */
    public static Weights random(NDManager owner, ModelConfig config, double deviation, RandomGenerator random) {
        return of(ModelTensors.zeros(owner, config).fill((part, _, _, target) -> {
            boolean matrix = part.shape().size() == 2;
            double constant = part.name().endsWith("bias") ? 0 : 1;
            for (int i = 0; i < part.size(); i++) {
                target.putFloat((float) (matrix ? random.nextGaussian() * deviation : constant));
            }
        }));
    }

    /** The model's shape. */
    public ModelConfig config() {
        return config;
    }

    /** The tensors. */
    public ModelTensors tensors() {
        return tensors;
    }

    /** Writes all weights to one safetensors file and forces it to the disk. */
    public void write(Path file) throws IOException {
        Safetensors.write(file, content());
    }

    /** The tensors of the file that {@link #write} writes: the weights' own memory. */
    public SequencedMap<String, Safetensors.Content> content() {
        return tensors.content("");
    }
}
