package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.LibTorch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Function;

/**
 * One F32 tensor for each entry of a model's {@link WeightLayout}: weights, gradients or an optimizer's moments. In files the parts of fused
 * tensors have their own names.
 */
public final class ModelTensors {
    private final List<WeightLayout.Entry> layout;
    private final List<NDArray> tensors;

    private ModelTensors(List<WeightLayout.Entry> layout, List<NDArray> tensors) {
        this.layout = layout;
        this.tensors = List.copyOf(tensors);
    }

    /** Tensors of zeros. */
    public static ModelTensors zeros(NDManager owner, ModelConfig config) {
        List<WeightLayout.Entry> layout = WeightLayout.of(config);
        return new ModelTensors(
                layout,
                layout.stream()
                        .map(entry -> owner.zeros(new Shape(entry.shape())))
                        .toList());
    }

    /**
     * Tensors read from a file that {@link #content} was written to with the same prefix.
     *
     * @throws IOException if a tensor is missing or cannot be read
     */
    public static ModelTensors read(NDManager owner, ModelConfig config, Safetensors file, String prefix)
            throws IOException {
        try {
            return of(owner, config, part -> {
                try {
                    return file.readF32(prefix + part.name());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Tensors of given values: a buffer of F32 in native byte order for each part. */
    static ModelTensors of(NDManager owner, ModelConfig config, Function<WeightLayout.Part, ByteBuffer> values) {
        List<WeightLayout.Entry> layout = WeightLayout.of(config);
        List<NDArray> tensors = new ArrayList<>();
        for (WeightLayout.Entry entry : layout) {
            // libtorch's own memory, aligned to 64 bytes: matrix products give the same bits in every process
            NDArray tensor = owner.zeros(new Shape(entry.shape()));
            ByteBuffer target = LibTorch.buffer(tensor);
            for (WeightLayout.Part part : entry.parts()) {
                target.put(values.apply(part));
            }
            tensors.add(tensor);
        }
        return new ModelTensors(layout, tensors);
    }

    /** The tensors, in the order of the layout. */
    public List<NDArray> all() {
        return tensors;
    }

    /** Whether weight decay applies to the tensor at that position: to matrices, not to norms and biases. */
    public boolean decayed(int position) {
        return layout.get(position).decayed();
    }

    /** Every part by the prefix and its name in Hugging Face checkpoints; buffers are views of the tensors. */
    public SequencedMap<String, Safetensors.Content> content(String prefix) {
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        for (int i = 0; i < tensors.size(); i++) {
            ByteBuffer whole = LibTorch.buffer(tensors.get(i));
            int at = 0;
            for (WeightLayout.Part part : layout.get(i).parts()) {
                int bytes = Math.toIntExact(part.size() * Float.BYTES);
                content.put(prefix + part.name(), new Safetensors.Content(part.shape(), whole.slice(at, bytes)));
                at += bytes;
            }
        }
        return content;
    }
}
