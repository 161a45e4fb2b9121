package dev.rlvr.trainer.sharding;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import dev.rlvr.crds.TrainerSpec;
import dev.rlvr.crds.TrainerSpec.Precision;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.model.GradientSums;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.UnitTensors;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * The weights and gradients of a job on one rank, and whose the optimizer's work is.
 *
 * <table>
 * <caption>What a rank holds</caption>
 * <tr><th>sharding</th><th>weights</th><th>gradients</th><th>moments</th></tr>
 * <tr><td>None</td><td>all</td><td>all</td><td>all</td></tr>
 * <tr><td>Optimizer (ZeRO 1)</td><td>all</td><td>all</td><td>share</td></tr>
 * <tr><td>Gradients (ZeRO 2)</td><td>all</td><td>share, and two units on their way</td><td>share</td></tr>
 * <tr><td>Parameters (ZeRO 3)</td><td>share, and two units in use</td><td>share, and two units on their way</td><td>share</td></tr>
 * <tr><td>Hybrid</td><td colspan="3">as Parameters, in as many shares as a pod has ranks</td></tr>
 * </table>
 */
public final class ShardedState {
    private final Sharding sharding;
    private final Groups groups;
    private final DataType travels;
    private final ModelTensors weights;
    private final ModelTensors gradients;
    private final ModelTensors owned;
    private final ModelTensors ownedGradients;
    private final Reduction reduction;

    private ShardedState(
            Sharding sharding,
            Groups groups,
            DataType travels,
            ModelTensors weights,
            ModelTensors gradients,
            Reduction reduction) {
        this.sharding = sharding;
        this.groups = groups;
        this.travels = travels;
        this.weights = weights;
        this.gradients = gradients;
        this.owned = owned(weights);
        this.ownedGradients = owned(gradients);
        this.reduction = reduction;
    }

    private ModelTensors owned(ModelTensors tensors) {
        return sharding.splitsOptimizer() && tensors.isWhole()
                ? tensors.share(groups.firstShare(), groups.endShare())
                : tensors;
    }

    /** Tensors of zeros; weights are to be filled in. */
    public static ShardedState zeros(NDManager owner, ModelConfig config, TrainerSpec spec, Groups groups) {
        Sharding sharding = spec.sharding();
        DataType travels = spec.reducePrecision() == Precision.BF16 ? DataType.BFLOAT16 : DataType.FLOAT32;
        ModelTensors gradients = zeros(owner, config, groups, !sharding.splitsGradients());
        Reduction reduction = sharding.splitsGradients()
                ? new ReductionPerPass(owner, gradients, groups.sharing(), travels)
                : new ReductionAtTheEnd(gradients, groups.sharing(), travels, !sharding.splitsOptimizer());
        return new ShardedState(
                sharding,
                groups,
                travels,
                zeros(owner, config, groups, !sharding.splitsWeights()),
                gradients,
                reduction);
    }

    private static ModelTensors zeros(NDManager owner, ModelConfig config, Groups groups, boolean whole) {
        int shares = groups.all().size();
        return whole
                ? ModelTensors.zeros(owner, config, shares)
                : ModelTensors.zerosShare(owner, config, shares, groups.firstShare(), groups.endShare());
    }

    /** The weights that this rank holds. */
    public ModelTensors weights() {
        return weights;
    }

    /** The weights that this rank's optimizer changes. */
    public ModelTensors owned() {
        return owned;
    }

    /** Moments or the like of {@link #owned}: zeros. */
    public ModelTensors zerosLikeOwned(NDManager owner) {
        return zeros(owner, weights.config(), groups, owned.isWhole());
    }

    /** What this rank writes of tensors like {@link #owned} or {@link #weights} to a checkpoint: its share. */
    public ModelTensors written(ModelTensors tensors) {
        return tensors.share(groups.written(), groups.written() + 1);
    }

    /**
     * Where a backward pass adds to.
     *
     * @param last whether no other pass of the same step comes after it, on any rank
     */
    public GradientSums sums(boolean last) {
        return reduction.sums(last);
    }

    /** Sums the gradients of all ranks; returns those of {@link #owned}. */
    public ModelTensors reduce() {
        reduction.finish();
        if (groups.copies().size() > 1) {
            sumOverCopies();
        }
        return ownedGradients;
    }

    private void sumOverCopies() {
        Collectives copies = groups.copies();
        List<NDArray> flats = ownedGradients.flats();
        List<NDArray> mine =
                ownedGradients.share(groups.written(), groups.written() + 1).flats();
        List<Collectives.Pending> sums = new ArrayList<>();
        for (int i = 0; i < flats.size(); i++) {
            sums.add(copies.reduceScatter(flats.get(i), mine.get(i), travels));
        }
        List<Collectives.Pending> gathers = new ArrayList<>();
        for (int i = 0; i < flats.size(); i++) {
            gathers.add(copies.allGather(sums.get(i).await(), flats.get(i)));
        }
        gathers.forEach(Collectives.Pending::await);
    }

    /** The norm of all gradients, given that of the owned ones. */
    public double norm(double ownedNorm) {
        return sharding.splitsOptimizer() ? Math.sqrt(groups.sharing().sum(ownedNorm * ownedNorm)[0]) : ownedNorm;
    }

    /** After the optimizer's step: sets gradients to 0, and gives the others what it changed where they hold it. */
    public void publish() {
        gradients.clear();
        if (weights.isWhole() && !owned.isWhole()) {
            List<Collectives.Pending> pending = new ArrayList<>();
            for (int block = 0; block < owned.flats().size(); block++) {
                pending.add(groups.sharing()
                        .allGather(owned.flats().get(block), weights.flats().get(block)));
            }
            pending.forEach(Collectives.Pending::await);
        }
    }

    /** All weights, one unit after the other; a unit is gone when the next is asked for. All ranks go through it together. */
    public Iterator<UnitTensors> stream(NDManager owner) {
        return new Iterator<>() {
            private int unit;
            private NDManager scope = owner.newSubManager();

            @Override
            public boolean hasNext() {
                if (unit == weights.units()) {
                    scope.close();
                }
                return unit < weights.units();
            }

            @Override
            public UnitTensors next() {
                scope.close();
                scope = owner.newSubManager();
                UnitTensors whole =
                        weights.isWhole() ? weights.unit(unit) : gathered(UnitTensors.zeros(scope, weights, unit));
                whole.tensors().forEach(tensor -> tensor.attach(scope));
                unit++;
                return whole;
            }
        };
    }

    private UnitTensors gathered(UnitTensors whole) {
        List<NDArray> shares = weights.flats(whole.unit());
        for (int i = 0; i < shares.size(); i++) {
            groups.sharing().allGather(shares.get(i), whole.blocks().get(i)).await();
        }
        return whole;
    }
}
