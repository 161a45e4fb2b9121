package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights of which each rank has a share (ZeRO 3): a layer is gathered from all ranks just before it is used, while the one before it computes,
 * and freed after. In BF16 the projections travel in BF16.
 */
final class GatheredWeights implements WorkingWeights {
    private static final String SCRIPT = WholeWeights.SCRIPT + """
              def room(self: __torch__.M, like: Tensor, n: int) -> Tensor:
                return torch.new_empty(like, [torch.numel(like) * n])
            """;

    private final NDManager owner;
    private final ModelTensors share;
    private final Precision precision;
    private final Collectives group;
    private final Script script = Script.compile(SCRIPT);
    private final Map<Integer, NDArray> castShares = new HashMap<>();
    private final Map<Integer, Unit> units = new HashMap<>();
    private List<NDArray> outside = List.of();
    private boolean held;

    /** A unit on its way here, then here. */
    private static final class Unit {
        private final NDManager scope;
        private final List<Collectives.Pending> blocks;
        private List<NDArray> tensors = List.of();

        Unit(NDManager scope, List<Collectives.Pending> blocks) {
            this.scope = scope;
            this.blocks = blocks;
        }
    }

    GatheredWeights(NDManager owner, ModelTensors share, Precision precision, Collectives group) {
        this.owner = owner.newSubManager();
        this.share = share;
        this.precision = precision;
        this.group = group;
        refresh();
    }

    @Override
    public ModelConfig config() {
        return share.config();
    }

    @Override
    public void refresh() {
        for (int unit = 1; unit < share.units() && precision != Precision.F32; unit++) {
            NDArray matrices = share.flats(unit).getFirst();
            if (castShares.containsKey(unit)) {
                script.tensors(owner, "assign", List.of(castShares.get(unit)), List.of(matrices))
                        .forEach(NDArray::close);
            } else {
                castShares.put(
                        unit,
                        script.tensors(owner, "cast", List.of(matrices), precision.scalarType())
                                .getFirst());
            }
        }
        if (!outside.isEmpty()) {
            close(0);
        }
        begin(0);
        outside = tensors(0);
    }

    private void begin(int unit) {
        if (units.containsKey(unit)) {
            return;
        }
        NDManager scope = owner.newSubManager();
        List<Collectives.Pending> blocks = new ArrayList<>();
        List<NDArray> flats = new ArrayList<>(share.flats(unit));
        if (castShares.containsKey(unit)) {
            flats.set(0, castShares.get(unit));
        }
        for (NDArray flat : flats) {
            blocks.add(group.allGather(flat, script.tensor(scope, "room", flat, group.size())));
        }
        units.put(unit, new Unit(scope, blocks));
    }

    /** The tensors of a unit in the order of the layout; waits for them. */
    private List<NDArray> tensors(int number) {
        begin(number);
        Unit unit = units.get(number);
        if (unit.tensors.isEmpty()) {
            List<NDArray> blocks =
                    unit.blocks.stream().map(Collectives.Pending::await).toList();
            List<NDArray> tensors =
                    UnitTensors.of(share.layout(), number, blocks).tensors();
            unit.tensors = cast(unit.scope, number, tensors);
        }
        return unit.tensors;
    }

    /** What matrix products take in another precision and has travelled in F32: biases, and the head. */
    private List<NDArray> cast(NDManager scope, int unit, List<NDArray> tensors) {
        List<NDArray> cast = new ArrayList<>(tensors);
        int[] positions = share.layout().positions(unit);
        for (int i = 0; i < positions.length && precision != Precision.F32; i++) {
            boolean travelledCast = castShares.containsKey(unit)
                    && share.layout().entries().get(positions[i]).decayed();
            if (WorkingWeights.isCast(config(), positions[i]) && !travelledCast) {
                NDArray copy = script.tensors(scope, "cast", List.of(tensors.get(i)), precision.scalarType())
                        .getFirst();
                if (positions[i] == WeightLayout.EMBEDDING) {
                    cast.add(copy);
                } else {
                    cast.set(i, copy);
                }
            }
        }
        return cast;
    }

    @Override
    public NDArray embedding() {
        return outside.get(WeightLayout.EMBEDDING);
    }

    @Override
    public NDArray finalNorm() {
        return outside.get(WeightLayout.FINAL_NORM);
    }

    /** The last outside the layers: a head of its own, or the embedding's copy in another precision; else the embedding itself. */
    @Override
    public NDArray head() {
        return outside.size() > WeightLayout.LAYERS ? outside.getLast() : embedding();
    }

    @Override
    public List<NDArray> layer(int layer) {
        return tensors(1 + layer);
    }

    @Override
    public void expect(int layer) {
        if (layer >= 0 && layer < layers()) {
            begin(1 + layer);
        }
    }

    @Override
    public void release(int layer) {
        if (!held) {
            close(1 + layer);
        }
    }

    private void close(int unit) {
        Unit gone = units.remove(unit);
        if (gone != null) {
            gone.scope.close();
        }
    }

    @Override
    public void hold() {
        for (int layer = 0; layer < layers(); layer++) {
            expect(layer);
        }
        for (int layer = 0; layer < layers(); layer++) {
            layer(layer);
        }
        held = true;
    }

    @Override
    public void letGo() {
        held = false;
        for (int layer = 0; layer < layers(); layer++) {
            close(1 + layer);
        }
    }

    @Override
    public void close() {
        script.close();
        owner.close();
    }
}
