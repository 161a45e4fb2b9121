package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
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

    /** Reads all weights of a model folder. */
    public static Weights load(NDManager owner, ModelFolder folder) {
        return new Weights(
                folder.config(), ModelTensors.of(owner, folder.config(), part -> folder.readF32(part.name())));
    }

    /** Reads all weights from a file written by {@link #write}. */
    public static Weights load(NDManager owner, ModelConfig config, Safetensors file) throws IOException {
        return new Weights(config, ModelTensors.read(owner, config, file, ""));
    }

    /** Fresh weights: normal with the given standard deviation for matrices, 1 for norms, 0 for biases. */
    public static Weights random(NDManager owner, ModelConfig config, double deviation, RandomGenerator random) {
        return new Weights(config, ModelTensors.of(owner, config, part -> {
            ByteBuffer values = ByteBuffer.allocateDirect(Math.toIntExact(part.size() * Float.BYTES))
                    .order(ByteOrder.nativeOrder());
            boolean matrix = part.shape().size() == 2;
            double constant = part.name().endsWith("bias") ? 0 : 1;
            for (int i = 0; i < part.size(); i++) {
                values.putFloat(i * Float.BYTES, (float) (matrix ? random.nextGaussian() * deviation : constant));
            }
            return values;
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
