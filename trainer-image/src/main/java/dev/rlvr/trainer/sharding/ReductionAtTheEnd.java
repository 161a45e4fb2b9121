package dev.rlvr.trainer.sharding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.model.GradientSums;
import dev.rlvr.trainer.model.ModelTensors;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** Each rank sums all its passes; in the last one a unit's exchange begins as soon as the unit is finished, while the next is computed. */
final class ReductionAtTheEnd implements Reduction {
    /** Blocks whose exchange goes on, at most: each takes as much memory as the block. */
    private static final int ON_THEIR_WAY = 4;

    private final ModelTensors gradients;
    private final ModelTensors share;
    private final Collectives group;
    private final DataType travels;
    private final boolean everywhere;
    private final ArrayDeque<Exchange> exchanges = new ArrayDeque<>();
    private final List<Collectives.Pending> gathers = new ArrayList<>();

    /** A block whose shares are on their way. */
    private record Exchange(NDArray block, Collectives.Pending sum) {}

    /**
     * A reduction.
     *
     * @param gradients whole
     * @param travels number format on the way between ranks
     * @param everywhere whether all ranks need the whole sum, not their share of it alone
     */
    ReductionAtTheEnd(ModelTensors gradients, Collectives group, DataType travels, boolean everywhere) {
        this.gradients = gradients;
        this.share = gradients.share(group.rank(), group.rank() + 1);
        this.group = group;
        this.travels = travels;
        this.everywhere = everywhere;
    }

    @Override
    public GradientSums sums(boolean last) {
        return last && group.size() > 1 ? new Last() : gradients;
    }

    @Override
    public void finish() {
        while (!exchanges.isEmpty()) {
            take(exchanges.remove());
        }
        gathers.forEach(Collectives.Pending::await);
        gathers.clear();
    }

    private void take(Exchange exchange) {
        NDArray mine = exchange.sum.await();
        if (everywhere) {
            gathers.add(group.allGather(mine, exchange.block));
        }
    }

    /** The last pass of a step. */
    private final class Last implements GradientSums {
        @Override
        public NDArray embedding() {
            return gradients.embedding();
        }

        @Override
        public NDArray finalNorm() {
            return gradients.finalNorm();
        }

        @Override
        public NDArray head() {
            return gradients.head();
        }

        @Override
        public List<NDArray> layer(int layer) {
            return gradients.layer(layer);
        }

        @Override
        public void finished(int unit) {
            List<NDArray> blocks = gradients.flats(unit);
            List<NDArray> mine = share.flats(unit);
            for (int i = 0; i < blocks.size(); i++) {
                exchanges.add(new Exchange(blocks.get(i), group.reduceScatter(blocks.get(i), mine.get(i), travels)));
            }
            while (exchanges.size() > ON_THEIR_WAY) {
                take(exchanges.remove());
            }
        }
    }
}
