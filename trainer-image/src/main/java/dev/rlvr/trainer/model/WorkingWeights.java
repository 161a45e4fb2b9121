package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights that a decoder computes with. What lies outside the layers is always there; a layer may have to be fetched from other ranks, so it
 * is announced, used and released. All ranks do so in the same order.
 */
sealed interface WorkingWeights extends AutoCloseable permits WholeWeights, GatheredWeights {
    /** The model's shape. */
    ModelConfig config();

    /** The F32 table that ids are looked up in. */
    NDArray embedding();

    /** {@code [hidden]}. */
    NDArray finalNorm();

    /** The output head {@code [vocabulary, hidden]}. */
    NDArray head();

    /** The tensors of a layer, until it is released. */
    List<NDArray> layer(int layer);

    /** Says that a layer is used next. */
    void expect(int layer);

    /** Says that a layer is not used any more for now. */
    void release(int layer);

    /** Keeps all layers at hand, as sampling needs them, until {@link #letGo}. */
    void hold();

    /** Ends {@link #hold}. */
    void letGo();

    /** Takes over what an optimizer step changed. */
    void refresh();

    @Override
    void close();

    /** Layers of the model. */
    default int layers() {
        return config().layers();
    }

    /**
     * All tensors in the order of {@link WeightLayout}, with every matrix that hidden states are multiplied by in the order that products with so
     * many rows like best.
     */
    default List<NDArray> packed(NDManager owner, Script decoder, int rows) {
        List<NDArray> all = new ArrayList<>(List.of(config().tiedHead() ? head() : embedding(), finalNorm()));
        for (int layer = 0; layer < layers(); layer++) {
            all.addAll(layer(layer));
        }
        if (!config().tiedHead()) {
            all.add(head());
        }
        for (int i = 0; i < all.size(); i++) {
            boolean multiplied = i != WeightLayout.EMBEDDING || config().tiedHead();
            if (multiplied && all.get(i).getShape().dimension() == 2) {
                all.set(i, decoder.tensor(owner, "pack", all.get(i), rows));
            }
        }
        return all;
    }

    /** Whether the tensor at a position takes part in matrix products; biases are added inside them. */
    static boolean isCast(ModelConfig config, int position) {
        if (position < WeightLayout.LAYERS) {
            return position == WeightLayout.EMBEDDING && config.tiedHead();
        }
        int inLayer = (position - WeightLayout.LAYERS) % WeightLayout.layerWidth(config);
        boolean head = position == WeightLayout.LAYERS + config.layers() * WeightLayout.layerWidth(config);
        boolean headNorm = config.family().headNorms() && (inLayer == 6 || inLayer == 7);
        boolean norm = inLayer == 0 || inLayer == 3 || headNorm;
        return head || !norm;
    }

    /** Of a list in the order of the layout, the tensors of one layer. */
    static List<NDArray> layer(ModelConfig config, List<NDArray> tensors, int layer) {
        int width = WeightLayout.layerWidth(config);
        int first = WeightLayout.LAYERS + layer * width;
        return tensors.subList(first, first + width);
    }

    /** Where the output head lies: the embedding itself where it is tied. */
    static int headPosition(ModelConfig config) {
        return config.tiedHead()
                ? WeightLayout.EMBEDDING
                : WeightLayout.LAYERS + config.layers() * WeightLayout.layerWidth(config);
    }
}
