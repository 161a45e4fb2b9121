package dev.rlvr.trainer.model;

import dev.rlvr.crds.TrainerSpec.Sharding;

/**
 * Bytes that the decoder's parts take, counted from the tensors that {@link LayerScript}, {@link HeadScript} and {@link ForwardPass} make.
 * The table in {@code docs/memory.md} compares the sums with what was measured.
 *
 * @param config the model's shape
 * @param precision of matrix products
 */
public record MemoryNeed(ModelConfig config, Precision precision) {
    private static final long F32 = Float.BYTES;

    /**
     * What a rank holds of weights, gradients and both moments of the optimizer, and the copies that BF16 computes with; with several ranks also
     * the units that are on their way between them.
     *
     * @param ranks that share
     */
    public long state(Sharding sharding, int ranks) {
        long all = F32 * config.parameters();
        long share = all / ranks;
        long layer = F32 * largestLayer();
        long moments = 2 * (sharding.splitsOptimizer() ? share : all);
        return switch (sharding) {
            case None, Optimizer -> 2 * all + moments + workingCopies() + (ranks > 1 ? 2 * layer : 0);
            case Gradients -> all + share + moments + workingCopies() + 4 * layer;
            case Parameters, Hybrid ->
                2 * share + moments + workingCopies() / ranks + F32 * outside() + outsideCopies() + 6 * layer;
        };
    }

    /** What sampling adds where a rank has but its share of the weights: all the others' layers. */
    public long gathered(Sharding sharding) {
        return sharding.splitsWeights() ? precision.bytes() * (config.parameters() - outside()) : 0;
    }

    /** A rank's part of weights and both moments of the optimizer in F32, as a checkpoint has them. */
    public long checkpoint(int ranks) {
        return 3 * F32 * config.parameters() / ranks;
    }

    private long largestLayer() {
        return (config.parameters() - outside()) / config.layers();
    }

    /** Scalars outside the layers. */
    private long outside() {
        long table = (long) config.vocabulary() * config.hidden();
        return (config.tiedHead() ? 1 : 2) * table + config.hidden();
    }

    private long outsideCopies() {
        return precision == Precision.F32 ? 0 : precision.bytes() * (long) config.vocabulary() * config.hidden();
    }

    /** Copies of the weights in another precision than their masters'. */
    public long workingCopies() {
        if (precision == Precision.F32) {
            return 0;
        }
        long cast = 0;
        var layout = WeightLayout.of(config);
        for (int i = 0; i < layout.size(); i++) {
            cast += WorkingWeights.isCast(config, i) ? layout.get(i).size() : 0;
        }
        return precision.bytes() * cast;
    }

    /** What a forward pass keeps for each token of its batch, padding included. */
    public long kept(Retention retention) {
        long rows = F32 * config.hidden();
        return switch (retention) {
            case NOTHING -> 0;
            case INPUTS -> (config.layers() + 1) * rows;
            case ACTIVATIONS -> rows + config.layers() * layerActivations();
        };
    }

    /** Input, middle, projection, rotated heads, attention's output and gates of one token in one layer. */
    private long layerActivations() {
        long rotated = config.family().headNorms() ? queriesAndKeys() : 0;
        long products = projection() + rotated + queries() + 2L * config.intermediate();
        return 2 * F32 * config.hidden() + precision.bytes() * products + F32 * (config.heads() + 2);
    }

    /**
     * What computing a layer, forward or backward, takes for each token of a micro-batch on top of what is kept: a layer that is computed again
     * holds its activations, too.
     */
    public long workspace(Retention retention) {
        long width = precision.bytes();
        long residual = 4 * F32 * config.hidden();
        long mlp = width * (6L * config.intermediate() + 2L * config.hidden()) + residual;
        long attention = width * (2 * projection() + 8 * queries() + config.hidden()) + residual;
        long again = retention == Retention.ACTIVATIONS ? 0 : layerActivations();
        return again + Math.max(mlp, attention);
    }

    /** The head's chunk of logits, and in BF16 the product that is added to its gradient. */
    public long head() {
        long rows = Head.chunk(config.vocabulary());
        long logits = rows * config.vocabulary();
        long product = precision == Precision.F32 ? 0 : (long) config.vocabulary() * config.hidden();
        return 2 * F32 * logits + precision.bytes() * (product + (precision == Precision.F32 ? 0 : logits));
    }

    /** Keys and values of one token in all layers. */
    public long cache() {
        return 2L * precision.bytes() * config.layers() * config.kvHeads() * config.headDim();
    }

    /** The weights once more, in the order that sampling multiplies by; held while it lasts. */
    public long packedWeights() {
        long embedding = config.tiedHead() ? 0 : (long) config.vocabulary() * config.hidden();
        long matrices = WeightLayout.of(config).stream()
                .filter(entry -> entry.shape().size() == 2)
                .mapToLong(WeightLayout.Entry::size)
                .sum();
        return precision.bytes() * (matrices - embedding);
    }

    /** What an answer takes while it is written: its keys and values, a quarter more while caches are widened, and its logits. */
    public long answer(long longest) {
        return cache() * longest * 5 / 4 + 3 * F32 * config.vocabulary();
    }

    private long queries() {
        return (long) config.heads() * config.headDim();
    }

    private long queriesAndKeys() {
        return (long) (config.heads() + config.kvHeads()) * config.headDim();
    }

    private long projection() {
        return (long) (config.heads() + 2 * config.kvHeads()) * config.headDim();
    }
}
