package dev.rlvr.trainer.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.LibTorch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The tensors of one unit of a {@link FlatLayout}, whole: what is fetched from, or sent to, other ranks at a time.
 *
 * @param unit 0 for everything outside the layers, from 1 for the layers
 * @param blocks one flat tensor for each block of the unit
 * @param tensors views of these in the order of {@link WeightLayout}
 */
public record UnitTensors(FlatLayout layout, int unit, List<NDArray> blocks, List<NDArray> tensors) {
    public UnitTensors {
        blocks = List.copyOf(blocks);
        tensors = List.copyOf(tensors);
    }

    /** Tensors of zeros, in F32. */
    public static UnitTensors zeros(NDManager owner, ModelTensors like, int unit) {
        FlatLayout layout = like.layout();
        return of(
                layout,
                unit,
                layout.blocksOf(unit).stream()
                        .map(block ->
                                owner.zeros(new Shape(layout.blocks().get(block).size())))
                        .toList());
    }

    /** The tensors that lie in whole blocks. */
    static UnitTensors of(FlatLayout layout, int unit, List<NDArray> blocks) {
        List<NDArray> tensors = new ArrayList<>();
        for (int position : layout.positions(unit)) {
            FlatLayout.Place place = layout.places().get(position);
            long to = place.from() + layout.entries().get(position).size();
            NDArray block = blocks.get(place.block() - layout.blocksOf(unit).getFirst());
            try (NDArray flat = block.get(new NDIndex("{}:{}", place.from(), to))) {
                tensors.add(flat.reshape(new Shape(layout.shape(position))));
            }
        }
        return new UnitTensors(layout, unit, blocks, tensors);
    }

    /** Names and shapes of a model's parts, in the order in which the units have them. */
    static SequencedMap<String, List<Long>> shapes(ModelConfig config) {
        FlatLayout layout = FlatLayout.of(config, 1);
        SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>();
        for (int unit = 0; unit <= config.layers(); unit++) {
            for (int position : layout.positions(unit)) {
                layout.entries().get(position).parts().forEach(part -> shapes.put(part.name(), part.shape()));
            }
        }
        return shapes;
    }

    /** Every part by its name in Hugging Face checkpoints; buffers are views of the F32 tensors, or of copies of those on a GPU. */
    public SequencedMap<String, Safetensors.Content> content() {
        SequencedMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        int[] positions = layout.positions(unit);
        for (int i = 0; i < positions.length; i++) {
            var whole = LibTorch.buffer(tensors.get(i).toDevice(Device.cpu(), false));
            int at = 0;
            for (WeightLayout.Part part : layout.entries().get(positions[i]).parts()) {
                int bytes = Math.toIntExact(part.size() * Float.BYTES);
                content.put(part.name(), new Safetensors.Content(part.shape(), whole.slice(at, bytes)));
                at += bytes;
            }
        }
        return content;
    }
}
