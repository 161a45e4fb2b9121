package dev.rlvr.bench.scaling;

import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Precision;

/**
 * Bytes of the tensors that all ranks exchange together, counted whole: of each, a rank sends and receives {@code (n - 1) / n}. With {@code S}
 * scalars in all blocks, {@code b} bytes of {@code reducePrecision} and {@code w} of {@code precision}:
 *
 * <ul>
 * <li>reduced: {@code b S} once per gradient step ({@code None}, {@code Optimizer}) or once per pass;
 * <li>published: {@code 4 S} once per gradient step, the sums or the weights; with {@code Parameters} only what is outside the layers, {@code 4 S0};
 * <li>swept, {@code Parameters} and {@code Hybrid}: {@code L (w matrices + 4 vectors)} for each forward or backward pass, and once before sampling;
 * <li>{@code Hybrid}: the same among the {@code g} ranks of a node, and once per gradient step {@code (b + 4) S / g} among those with the same share.
 * </ul>
 *
 * @param reduced by one exchange of gradients
 * @param reducedPerPass whether each pass ends with that exchange, not each gradient step
 * @param published after the gradient step
 * @param swept by one pass through the layers
 * @param copies ranks that have the same share; each of the others' figures is of {@code ranks / copies} ranks
 * @param summed over the copies, after the last pass
 * @param spread to the copies, of that sum
 */
public record Traffic(
        double reduced,
        boolean reducedPerPass,
        double published,
        double swept,
        int copies,
        double summed,
        double spread,
        Blocks blocks) {
    /** Of one job on so many ranks, so many of them in a pod; nothing on one. */
    public static Traffic of(
            ModelConfig model,
            Precision precision,
            Precision reducePrecision,
            Sharding sharding,
            int ranks,
            int perPod) {
        Blocks blocks = Blocks.of(model, ranks);
        if (ranks == 1) {
            return new Traffic(0, false, 0, 0, 1, 0, 0, blocks);
        }
        double reduced = (double) reducePrecision.bytes() * blocks.all();
        double everything = (double) Float.BYTES * blocks.all();
        double outside = (double) Float.BYTES * blocks.outside();
        double layer =
                (double) precision.bytes() * blocks.layerMatrices() + (double) Float.BYTES * blocks.layerVectors();
        double swept = blocks.layers() * layer;
        return switch (sharding) {
            case None, Optimizer -> new Traffic(reduced, false, everything, 0, 1, 0, 0, blocks);
            case Gradients -> new Traffic(reduced, true, everything, 0, 1, 0, 0, blocks);
            case Parameters -> new Traffic(reduced, true, outside, swept, 1, 0, 0, blocks);
            case Hybrid -> {
                int copies = Math.ceilDiv(ranks, perPod);
                double share = (double) copies / ranks;
                yield new Traffic(
                        reduced,
                        true,
                        outside,
                        swept,
                        copies,
                        copies == 1 ? 0 : share * reduced,
                        share * everything,
                        blocks);
            }
        };
    }

    /** Ranks that have a share each of the same tensors. */
    public int sharing() {
        return blocks.ranks() / copies;
    }

    /**
     * Bytes that one rank sends in one gradient step.
     *
     * @param passes of the rank that has most
     * @param sweeps times that a pass goes through the layers, backward included
     */
    public double sent(int passes, int sweeps) {
        double whole = reduced * (reducedPerPass ? passes : 1) + published + swept * passes * sweeps;
        return whole * (sharing() - 1) / sharing() + (summed + spread) * (copies - 1) / copies;
    }
}
