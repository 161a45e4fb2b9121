package dev.rlvr.e2e.soak;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/** A Hugging Face folder of a Qwen3 model with random weights, as small as a model can be and still have all its parts. */
final class TinyModel {
    private static final int VOCABULARY = 49;
    private static final int HIDDEN = 32;
    private static final int INTERMEDIATE = 64;
    private static final int LAYERS = 2;
    private static final int HEADS = 2;
    private static final int HEAD_DIM = 16;

    private TinyModel() {}

    /** Writes the folder; the tokenizer is that of another model folder, which has the same vocabulary. */
    static void write(Path folder, Path tokenizerOf) throws IOException {
        Files.createDirectories(folder);
        for (String name : List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")) {
            Files.copy(tokenizerOf.resolve(name), folder.resolve(name));
        }
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": %d, "hidden_size": %d,
                 "intermediate_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
                 "head_dim": %d, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000,
                 "max_position_embeddings": 256, "tie_word_embeddings": true, "attention_bias": false,
                 "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": null, "dtype": "float32"}
                """.formatted(
                        VOCABULARY, HIDDEN, INTERMEDIATE, LAYERS, HEADS, HEADS, HEAD_DIM));
        Files.write(folder.resolve("model.safetensors"), safetensors(shapes()));
    }

    private static SequencedMap<String, List<Integer>> shapes() {
        int attention = HEADS * HEAD_DIM;
        SequencedMap<String, List<Integer>> shapes = new LinkedHashMap<>();
        shapes.put("model.embed_tokens.weight", List.of(VOCABULARY, HIDDEN));
        for (int i = 0; i < LAYERS; i++) {
            String layer = "model.layers." + i + ".";
            shapes.put(layer + "input_layernorm.weight", List.of(HIDDEN));
            shapes.put(layer + "self_attn.q_proj.weight", List.of(attention, HIDDEN));
            shapes.put(layer + "self_attn.k_proj.weight", List.of(attention, HIDDEN));
            shapes.put(layer + "self_attn.v_proj.weight", List.of(attention, HIDDEN));
            shapes.put(layer + "self_attn.o_proj.weight", List.of(HIDDEN, attention));
            shapes.put(layer + "self_attn.q_norm.weight", List.of(HEAD_DIM));
            shapes.put(layer + "self_attn.k_norm.weight", List.of(HEAD_DIM));
            shapes.put(layer + "post_attention_layernorm.weight", List.of(HIDDEN));
            shapes.put(layer + "mlp.gate_proj.weight", List.of(INTERMEDIATE, HIDDEN));
            shapes.put(layer + "mlp.up_proj.weight", List.of(INTERMEDIATE, HIDDEN));
            shapes.put(layer + "mlp.down_proj.weight", List.of(HIDDEN, INTERMEDIATE));
        }
        shapes.put("model.norm.weight", List.of(HIDDEN));
        return shapes;
    }

    private static byte[] safetensors(SequencedMap<String, List<Integer>> shapes) {
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        int at = 0;
        for (Map.Entry<String, List<Integer>> tensor : shapes.entrySet()) {
            int end = at + Float.BYTES * count(tensor.getValue());
            header.append(",\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(tensor.getKey(), tensor.getValue(), at, end));
            at = end;
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(Long.BYTES + json.length + at).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        Random random = new Random(0);
        for (List<Integer> shape : shapes.values()) {
            for (int i = 0; i < count(shape); i++) {
                file.putFloat(shape.size() == 2 ? (float) (0.02 * random.nextGaussian()) : 1);
            }
        }
        return file.array();
    }

    private static int count(List<Integer> shape) {
        return shape.stream().reduce(1, Math::multiplyExact);
    }
}
