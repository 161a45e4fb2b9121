package dev.rlvr.e2e;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
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

/**
 * A Hugging Face folder of a Qwen3 model with random weights.
 *
 * @param vocabulary token ids
 * @param hidden width of the residual stream
 * @param intermediate width of the MLP
 * @param layers number of layers
 * @param heads query heads
 * @param kvHeads key and value heads
 * @param headDim width of a head
 */
public record RandomModel(
        int vocabulary, int hidden, int intermediate, int layers, int heads, int kvHeads, int headDim) {

    /** Writes the folder; the tokenizer is that of another model folder, whose vocabulary is not larger. */
    public void write(Path folder, Path tokenizerOf) throws IOException {
        Files.createDirectories(folder);
        for (String name : List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")) {
            Files.copy(tokenizerOf.resolve(name), folder.resolve(name));
        }
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": %d, "hidden_size": %d,
                 "intermediate_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
                 "head_dim": %d, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 10000,
                 "max_position_embeddings": 2048, "tie_word_embeddings": true, "attention_bias": false,
                 "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": null, "dtype": "float32"}
                """.formatted(
                        vocabulary, hidden, intermediate, layers, heads, kvHeads, headDim));
        writeWeights(folder.resolve("model.safetensors"), shapes());
    }

    private SequencedMap<String, List<Integer>> shapes() {
        int queries = heads * headDim;
        int keys = kvHeads * headDim;
        SequencedMap<String, List<Integer>> shapes = new LinkedHashMap<>();
        shapes.put("model.embed_tokens.weight", List.of(vocabulary, hidden));
        for (int i = 0; i < layers; i++) {
            String layer = "model.layers." + i + ".";
            shapes.put(layer + "input_layernorm.weight", List.of(hidden));
            shapes.put(layer + "self_attn.q_proj.weight", List.of(queries, hidden));
            shapes.put(layer + "self_attn.k_proj.weight", List.of(keys, hidden));
            shapes.put(layer + "self_attn.v_proj.weight", List.of(keys, hidden));
            shapes.put(layer + "self_attn.o_proj.weight", List.of(hidden, queries));
            shapes.put(layer + "self_attn.q_norm.weight", List.of(headDim));
            shapes.put(layer + "self_attn.k_norm.weight", List.of(headDim));
            shapes.put(layer + "post_attention_layernorm.weight", List.of(hidden));
            shapes.put(layer + "mlp.gate_proj.weight", List.of(intermediate, hidden));
            shapes.put(layer + "mlp.up_proj.weight", List.of(intermediate, hidden));
            shapes.put(layer + "mlp.down_proj.weight", List.of(hidden, intermediate));
        }
        shapes.put("model.norm.weight", List.of(hidden));
        return shapes;
    }

    private static void writeWeights(Path path, SequencedMap<String, List<Integer>> shapes) throws IOException {
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        long at = 0;
        for (Map.Entry<String, List<Integer>> tensor : shapes.entrySet()) {
            long end = at + (long) Float.BYTES * count(tensor.getValue());
            header.append(",\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(tensor.getKey(), tensor.getValue(), at, end));
            at = end;
        }
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        Random random = new Random(0);
        try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(path))) {
            byte[] length = new byte[Long.BYTES];
            order(length).putLong(json.length);
            file.write(length);
            file.write(json);
            for (List<Integer> shape : shapes.values()) {
                byte[] bytes = new byte[Float.BYTES * count(shape)];
                ByteBuffer values = order(bytes);
                while (values.hasRemaining()) {
                    values.putFloat(shape.size() == 2 ? (float) (0.02 * random.nextGaussian()) : 1);
                }
                file.write(bytes);
            }
        }
    }

    private static ByteBuffer order(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int count(List<Integer> shape) {
        return shape.stream().reduce(1, Math::multiplyExact);
    }
}
