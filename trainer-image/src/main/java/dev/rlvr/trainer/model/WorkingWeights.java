package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights that a decoder computes with: in F32 the master weights themselves, in BF16 copies of all projections and biases that are made
 * once per optimizer step, and the master weights of the norms and of the embedding.
 */
final class WorkingWeights implements AutoCloseable {
    private static final String SCRIPT = """
              def cast(self: __torch__.M, xs: List[Tensor], type: int) -> List[Tensor]:
                ys = annotate(List[Tensor], [])
                for x in xs:
                  ys = torch.append(ys, torch.to(x, type))
                return ys
              def assign(self: __torch__.M, to: List[Tensor], xs: List[Tensor]) -> List[Tensor]:
                ops.aten._foreach_copy_(to, xs)
                return to
            """;

    private final Weights weights;
    private final Script script = Script.compile(SCRIPT);
    private final List<NDArray> masters = new ArrayList<>();
    private final List<NDArray> copies;
    private final List<NDArray> all;

    WorkingWeights(NDManager owner, Weights weights, Precision precision) {
        this.weights = weights;
        ModelConfig config = weights.config();
        all = new ArrayList<>(weights.tensors().all());
        List<Integer> cast = new ArrayList<>();
        for (int i = 0; precision != Precision.F32 && i < all.size(); i++) {
            if (isCast(config, i)) {
                cast.add(i);
                masters.add(all.get(i));
            }
        }
        copies = cast.isEmpty() ? List.of() : script.tensors(owner, "cast", masters, precision.scalarType());
        for (int i = 0; i < copies.size(); i++) {
            all.set(cast.get(i), copies.get(i));
        }
    }

    /** Whether the tensor at a position takes part in matrix products; biases are added inside them. */
    static boolean isCast(ModelConfig config, int position) {
        if (position < WeightLayout.LAYERS) {
            return position == WeightLayout.EMBEDDING && config.tiedHead();
        }
        int inLayer = (position - WeightLayout.LAYERS) % WeightLayout.layerWidth(config);
        boolean head = position == WeightLayout.LAYERS + config.layers() * WeightLayout.layerWidth(config);
        boolean norm = inLayer == 0 || inLayer == 3 || (config.family().headNorms() && inLayer >= 6);
        return head || !norm;
    }

    /** Takes over what an optimizer step changed. */
    void refresh() {
        if (!copies.isEmpty()) {
            script.tensors(copies.getFirst().getManager(), "assign", copies, masters)
                    .forEach(NDArray::close);
        }
    }

    /** All tensors in the order of {@link WeightLayout}. */
    List<NDArray> all() {
        return all;
    }

    /** All tensors, with every matrix that hidden states are multiplied by in the order that products with so many rows like best. */
    List<NDArray> packed(NDManager owner, Script decoder, int rows) {
        List<NDArray> packed = new ArrayList<>(all);
        for (int i = 0; i < packed.size(); i++) {
            boolean multiplied = i != WeightLayout.EMBEDDING || weights.config().tiedHead();
            if (multiplied && all.get(i).getShape().dimension() == 2) {
                packed.set(i, decoder.tensor(owner, "pack", all.get(i), rows));
            }
        }
        return packed;
    }

    /** Layers of the model. */
    int layers() {
        return weights.config().layers();
    }

    /** The F32 table that ids are looked up in. */
    NDArray embedding() {
        return weights.tensors().all().get(WeightLayout.EMBEDDING);
    }

    NDArray finalNorm() {
        return all.get(WeightLayout.FINAL_NORM);
    }

    /** The output head {@code [vocabulary, hidden]}. */
    NDArray head() {
        return all.get(headPosition(weights.config()));
    }

    List<NDArray> layer(int layer) {
        return layer(weights.config(), all, layer);
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

    @Override
    public void close() {
        script.close();
        copies.forEach(NDArray::close);
    }
}
