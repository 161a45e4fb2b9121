package dev.rlvr.trainer.sharding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.model.GradientSums;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.UnitTensors;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A rank keeps its share of the sums alone: each unit of each pass is exchanged as soon as it is finished, and at most two are on their way. */
final class ReductionPerPass implements Reduction, GradientSums {
    private static final int ON_THEIR_WAY = 2;

    private final NDManager owner;
    private final ModelTensors share;
    private final Collectives group;
    private final DataType travels;
    private final Map<Integer, Open> open = new HashMap<>();
    private final ArrayDeque<Exchange> exchanges = new ArrayDeque<>();

    /** A unit that a pass adds to. */
    private record Open(NDManager scope, UnitTensors sums) {}

    /** A unit whose blocks are on their way. */
    private record Exchange(NDManager scope, int unit, List<Collectives.Pending> blocks) {}

    ReductionPerPass(NDManager owner, ModelTensors share, Collectives group, DataType travels) {
        this.owner = owner;
        this.share = share;
        this.group = group;
        this.travels = travels;
    }

    @Override
    public GradientSums sums(boolean last) {
        return this;
    }

    private Open open(int unit) {
        return open.computeIfAbsent(unit, _ -> {
            NDManager scope = owner.newSubManager();
            return new Open(scope, UnitTensors.zeros(scope, share, unit));
        });
    }

    @Override
    public NDArray embedding() {
        return open(0).sums.tensors().getFirst();
    }

    @Override
    public NDArray finalNorm() {
        return open(0).sums.tensors().get(1);
    }

    @Override
    public NDArray head() {
        List<NDArray> outside = open(0).sums.tensors();
        return outside.size() > 2 ? outside.getLast() : outside.getFirst();
    }

    @Override
    public List<NDArray> layer(int layer) {
        return open(1 + layer).sums.tensors();
    }

    @Override
    public void finished(int unit) {
        Open done = open(unit);
        open.remove(unit);
        List<Collectives.Pending> blocks = new ArrayList<>();
        for (NDArray block : done.sums.blocks()) {
            NDArray sum = done.scope.zeros(new Shape(block.size() / group.size()));
            blocks.add(group.reduceScatter(block, sum, travels));
        }
        exchanges.add(new Exchange(done.scope, unit, blocks));
        if (exchanges.size() >= ON_THEIR_WAY) {
            take(exchanges.remove());
        }
    }

    private void take(Exchange exchange) {
        try (NDManager _ = exchange.scope) {
            List<NDArray> sums = share.flats(exchange.unit);
            for (int i = 0; i < sums.size(); i++) {
                sums.get(i).addi(exchange.blocks.get(i).await());
            }
        }
    }

    @Override
    public void finish() {
        while (!exchanges.isEmpty()) {
            take(exchanges.remove());
        }
    }
}
