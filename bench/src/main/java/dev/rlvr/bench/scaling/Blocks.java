package dev.rlvr.bench.scaling;

import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelConfig.Family;
import java.util.stream.LongStream;

/**
 * Scalars of the blocks that ranks exchange, padded so that each divides into equal shares: of each unit (a layer, or all that is outside the
 * layers) one of matrices and one of vectors.
 */
record Blocks(int ranks, int layers, long layerMatrices, long layerVectors, long outsideMatrices, long outsideVectors) {
    /** Scalars that each tensor's place, and each share, is a multiple of. */
    private static final int ALIGNMENT = 16;

    static Blocks of(ModelConfig model, int ranks) {
        long hidden = model.hidden();
        long queries = (long) model.heads() * model.headDim();
        long keys = (long) model.kvHeads() * model.headDim();
        long headNorm = model.family() == Family.QWEN3 ? model.headDim() : 0;
        long bias = model.attentionBias() ? queries + 2 * keys : 0;
        long table = model.vocabulary() * hidden;
        long gate = model.intermediate() * hidden;
        return new Blocks(
                ranks,
                model.layers(),
                block(ranks, (queries + 2 * keys) * hidden, queries * hidden, 2 * gate, gate),
                block(ranks, hidden, hidden, headNorm, headNorm, bias),
                block(ranks, table, model.tiedHead() ? 0 : table),
                block(ranks, hidden));
    }

    private static long block(int ranks, long... tensors) {
        long size =
                LongStream.of(tensors).map(tensor -> roundUp(tensor, ALIGNMENT)).sum();
        return roundUp(size, (long) ALIGNMENT * ranks);
    }

    private static long roundUp(long size, long multiple) {
        return Math.ceilDiv(size, multiple) * multiple;
    }

    long layer() {
        return layerMatrices + layerVectors;
    }

    long outside() {
        return outsideMatrices + outsideVectors;
    }

    long all() {
        return layers * layer() + outside();
    }

    /** Transfers that one exchange of everything takes. */
    int count() {
        return 2 * (layers + 1);
    }
}
