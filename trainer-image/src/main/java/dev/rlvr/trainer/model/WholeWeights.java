package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.List;

/**
 * All weights on this rank: in F32 the master weights themselves, in BF16 copies of all projections and biases that are made once per optimizer
 * step, and the master weights of the norms and of the embedding.
 */
final class WholeWeights implements WorkingWeights {
    static final String SCRIPT = """
              def cast(self: __torch__.M, xs: List[Tensor], type: int) -> List[Tensor]:
                ys = annotate(List[Tensor], [])
                for x in xs:
                  ys = torch.append(ys, torch.to(x, type))
                return ys
              def assign(self: __torch__.M, to: List[Tensor], xs: List[Tensor]) -> List[Tensor]:
                ops.aten._foreach_copy_(to, xs)
                return to
            """;

    private final ModelTensors weights;
    private final Script script = Script.compile(SCRIPT);
    private final List<NDArray> masters = new ArrayList<>();
    private final List<NDArray> copies;
    private final List<NDArray> all;

    WholeWeights(NDManager owner, ModelTensors weights, Precision precision) {
        this.weights = weights;
        all = new ArrayList<>(weights.all());
        List<Integer> cast = new ArrayList<>();
        for (int i = 0; precision != Precision.F32 && i < all.size(); i++) {
            if (WorkingWeights.isCast(config(), i)) {
                cast.add(i);
                masters.add(all.get(i));
            }
        }
        copies = cast.isEmpty() ? List.of() : script.tensors(owner, "cast", masters, precision.scalarType());
        for (int i = 0; i < copies.size(); i++) {
            all.set(cast.get(i), copies.get(i));
        }
    }

    @Override
    public ModelConfig config() {
        return weights.config();
    }

    @Override
    public void refresh() {
        if (!copies.isEmpty()) {
            script.tensors(copies.getFirst().getManager(), "assign", copies, masters)
                    .forEach(NDArray::close);
        }
    }

    @Override
    public NDArray embedding() {
        return weights.embedding();
    }

    @Override
    public NDArray finalNorm() {
        return all.get(WeightLayout.FINAL_NORM);
    }

    @Override
    public NDArray head() {
        return all.get(WorkingWeights.headPosition(config()));
    }

    @Override
    public List<NDArray> layer(int layer) {
        return WorkingWeights.layer(config(), all, layer);
    }

    @Override
    public void expect(int layer) {
        // it is here
    }

    @Override
    public void release(int layer) {
        // it stays
    }

    @Override
    public void hold() {
        // all are here
    }

    @Override
    public void letGo() {
        // all stay
    }

    @Override
    public void close() {
        script.close();
        copies.forEach(NDArray::close);
    }
}
