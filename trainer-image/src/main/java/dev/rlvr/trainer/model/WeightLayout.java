package dev.rlvr.trainer.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The tensors of a model in the order the decoder takes them: embedding, final norm, then for each layer {@link #layerWidth} tensors, then the
 * head where it is not tied. Projections of the same input are one matrix, their rows one below the other, so that each input is multiplied
 * once; a Hugging Face checkpoint holds their {@link Part}s by name.
 */
final class WeightLayout {
    /** Position of the embedding {@code [vocabulary, hidden]}. */
    static final int EMBEDDING = 0;

    /** Position of the final norm {@code [hidden]}. */
    static final int FINAL_NORM = 1;

    /** Position of the first layer's first weight. */
    static final int LAYERS = 2;

    private WeightLayout() {}

    /** A tensor as checkpoints hold it. */
    record Part(String name, List<Long> shape) {
        Part {
            shape = List.copyOf(shape);
        }

        /** Scalars. */
        long size() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }
    }

    /**
     * One tensor of the decoder.
     *
     * @param parts what lies one below the other in it; their shapes differ in the first length only
     * @param decayed whether weight decay applies: to matrices, not to norms and biases
     */
    record Entry(List<Part> parts, boolean decayed) {
        Entry {
            parts = List.copyOf(parts);
        }

        /** Shape of the whole. */
        List<Long> shape() {
            List<Long> shape = new ArrayList<>(parts.getFirst().shape());
            shape.set(
                    0, parts.stream().mapToLong(part -> part.shape().getFirst()).sum());
            return List.copyOf(shape);
        }

        /** Scalars of the whole. */
        long size() {
            return parts.stream().mapToLong(Part::size).sum();
        }
    }

    /**
     * Tensors of one layer: norm, query-key-value projection, output projection, norm, gate-up projection, down projection, then the norms of
     * query and key heads, then the bias of the query-key-value projection, where the family has them.
     */
    static int layerWidth(ModelConfig config) {
        return 6 + (config.family().headNorms() ? 2 : 0) + (config.attentionBias() ? 1 : 0);
    }

    /** Position in a layer of the bias of the query-key-value projection, where there is one. */
    static int attentionBias(ModelConfig config) {
        return layerWidth(config) - 1;
    }

    static List<Entry> of(ModelConfig config) {
        List<Entry> entries = new ArrayList<>();
        entries.add(matrix(part("model.embed_tokens.weight", config.vocabulary(), config.hidden())));
        entries.add(vector(part("model.norm.weight", config.hidden())));
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer(entries, "model.layers." + layer + ".", config);
        }
        if (!config.tiedHead()) {
            entries.add(matrix(part("lm_head.weight", config.vocabulary(), config.hidden())));
        }
        return List.copyOf(entries);
    }

    /** All tensors of checkpoints, in order. */
    static List<Part> parts(ModelConfig config) {
        return of(config).stream().flatMap(entry -> entry.parts().stream()).toList();
    }

    private static void addLayer(List<Entry> entries, String prefix, ModelConfig config) {
        long hidden = config.hidden();
        long queries = (long) config.heads() * config.headDim();
        long keys = (long) config.kvHeads() * config.headDim();
        entries.add(vector(part(prefix + "input_layernorm.weight", hidden)));
        entries.add(matrix(
                part(prefix + "self_attn.q_proj.weight", queries, hidden),
                part(prefix + "self_attn.k_proj.weight", keys, hidden),
                part(prefix + "self_attn.v_proj.weight", keys, hidden)));
        entries.add(matrix(part(prefix + "self_attn.o_proj.weight", hidden, queries)));
        entries.add(vector(part(prefix + "post_attention_layernorm.weight", hidden)));
        entries.add(matrix(
                part(prefix + "mlp.gate_proj.weight", config.intermediate(), hidden),
                part(prefix + "mlp.up_proj.weight", config.intermediate(), hidden)));
        entries.add(matrix(part(prefix + "mlp.down_proj.weight", hidden, config.intermediate())));
        if (config.family().headNorms()) {
            entries.add(vector(part(prefix + "self_attn.q_norm.weight", config.headDim())));
            entries.add(vector(part(prefix + "self_attn.k_norm.weight", config.headDim())));
        }
        if (config.attentionBias()) {
            entries.add(vector(
                    part(prefix + "self_attn.q_proj.bias", queries),
                    part(prefix + "self_attn.k_proj.bias", keys),
                    part(prefix + "self_attn.v_proj.bias", keys)));
        }
    }

    private static Part part(String name, long... shape) {
        return new Part(name, Arrays.stream(shape).boxed().toList());
    }

    private static Entry matrix(Part... parts) {
        return new Entry(List.of(parts), true);
    }

    private static Entry vector(Part... parts) {
        return new Entry(List.of(parts), false);
    }
}
