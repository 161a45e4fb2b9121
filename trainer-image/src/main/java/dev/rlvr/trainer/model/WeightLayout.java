package dev.rlvr.trainer.model;

import java.util.ArrayList;
import java.util.List;

/**
 * The weights of a model in the order the decoder takes them: embedding, final norm, then for each layer {@link #layerWidth} tensors, then
 * the head where it is not tied. Names are those of Hugging Face checkpoints.
 */
final class WeightLayout {
    /** Position of the embedding {@code [vocabulary, hidden]}. */
    static final int EMBEDDING = 0;

    /** Position of the final norm {@code [hidden]}. */
    static final int FINAL_NORM = 1;

    /** Position of the first layer's first weight. */
    static final int LAYERS = 2;

    private WeightLayout() {}

    /**
     * One weight.
     *
     * @param decayed whether weight decay applies: to matrices, not to norms and biases
     */
    record Entry(String name, List<Long> shape, boolean decayed) {
        Entry {
            shape = List.copyOf(shape);
        }

        long size() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }
    }

    /** Weights of one layer: norms 0 and 5, projections 1 to 4 and 6 to 8, then head norms, then biases where the family has them. */
    static int layerWidth(ModelConfig config) {
        return 9 + (config.family().headNorms() ? 2 : 0) + (config.attentionBias() ? 3 : 0);
    }

    static List<Entry> of(ModelConfig config) {
        List<Entry> entries = new ArrayList<>();
        entries.add(matrix("model.embed_tokens.weight", config.vocabulary(), config.hidden()));
        entries.add(vector("model.norm.weight", config.hidden()));
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer(entries, "model.layers." + layer + ".", config);
        }
        if (!config.tiedHead()) {
            entries.add(matrix("lm_head.weight", config.vocabulary(), config.hidden()));
        }
        return List.copyOf(entries);
    }

    private static void addLayer(List<Entry> entries, String prefix, ModelConfig config) {
        int queries = config.heads() * config.headDim();
        int keys = config.kvHeads() * config.headDim();
        entries.add(vector(prefix + "input_layernorm.weight", config.hidden()));
        entries.add(matrix(prefix + "self_attn.q_proj.weight", queries, config.hidden()));
        entries.add(matrix(prefix + "self_attn.k_proj.weight", keys, config.hidden()));
        entries.add(matrix(prefix + "self_attn.v_proj.weight", keys, config.hidden()));
        entries.add(matrix(prefix + "self_attn.o_proj.weight", config.hidden(), queries));
        entries.add(vector(prefix + "post_attention_layernorm.weight", config.hidden()));
        entries.add(matrix(prefix + "mlp.gate_proj.weight", config.intermediate(), config.hidden()));
        entries.add(matrix(prefix + "mlp.up_proj.weight", config.intermediate(), config.hidden()));
        entries.add(matrix(prefix + "mlp.down_proj.weight", config.hidden(), config.intermediate()));
        if (config.family().headNorms()) {
            entries.add(vector(prefix + "self_attn.q_norm.weight", config.headDim()));
            entries.add(vector(prefix + "self_attn.k_norm.weight", config.headDim()));
        }
        if (config.attentionBias()) {
            entries.add(vector(prefix + "self_attn.q_proj.bias", queries));
            entries.add(vector(prefix + "self_attn.k_proj.bias", keys));
            entries.add(vector(prefix + "self_attn.v_proj.bias", keys));
        }
    }

    private static Entry matrix(String name, long rows, long columns) {
        return new Entry(name, List.of(rows, columns), true);
    }

    private static Entry vector(String name, long length) {
        return new Entry(name, List.of(length), false);
    }
}
