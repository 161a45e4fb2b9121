package dev.rlvr.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.model.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The model called 8m in {@code peers/models.py}, with its tokenizer and problems, where no peer takes part and no Python is needed: the same
 * shapes, other random weights.
 */
final class SmallModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int VOCABULARY = 4096;
    private static final long HIDDEN = 256;
    private static final long INTERMEDIATE = 1024;
    private static final int LAYERS = 6;
    private static final long QUERIES = 8L * 64;
    private static final long KEYS = 4L * 64;
    private static final int PROBLEMS = 256;
    private static final int PROMPT_TOKENS = 16;

    private SmallModel() {}

    /** Writes the folder. */
    static void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 4096, "hidden_size": 256,
                 "intermediate_size": 1024, "num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 4,
                 "head_dim": 64, "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000,
                 "max_position_embeddings": 1024, "tie_word_embeddings": true, "attention_bias": false,
                 "eos_token_id": 4096, "bos_token_id": null, "dtype": "float32"}
                """);
        Safetensors.write(folder.resolve("model.safetensors"), weights());
        Files.writeString(folder.resolve("tokenizer.json"), JSON.writeValueAsString(tokenizer()));
        Files.writeString(folder.resolve("problems.jsonl"), problems());
    }

    private static SequencedMap<String, Safetensors.Content> weights() {
        Random random = new Random(0);
        SequencedMap<String, Safetensors.Content> weights = new LinkedHashMap<>();
        weights.put("model.embed_tokens.weight", matrix(VOCABULARY, HIDDEN, random));
        for (int i = 0; i < LAYERS; i++) {
            String layer = "model.layers." + i + ".";
            weights.put(layer + "input_layernorm.weight", ones());
            weights.put(layer + "self_attn.q_proj.weight", matrix(QUERIES, HIDDEN, random));
            weights.put(layer + "self_attn.k_proj.weight", matrix(KEYS, HIDDEN, random));
            weights.put(layer + "self_attn.v_proj.weight", matrix(KEYS, HIDDEN, random));
            weights.put(layer + "self_attn.o_proj.weight", matrix(HIDDEN, QUERIES, random));
            weights.put(layer + "post_attention_layernorm.weight", ones());
            weights.put(layer + "mlp.gate_proj.weight", matrix(INTERMEDIATE, HIDDEN, random));
            weights.put(layer + "mlp.up_proj.weight", matrix(INTERMEDIATE, HIDDEN, random));
            weights.put(layer + "mlp.down_proj.weight", matrix(HIDDEN, INTERMEDIATE, random));
        }
        weights.put("model.norm.weight", ones());
        return weights;
    }

    private static Safetensors.Content matrix(long rows, long columns, Random random) {
        ByteBuffer values = room(rows * columns);
        while (values.hasRemaining()) {
            values.putFloat((float) (0.02 * random.nextGaussian()));
        }
        return new Safetensors.Content(List.of(rows, columns), values.flip());
    }

    private static Safetensors.Content ones() {
        ByteBuffer values = room(HIDDEN);
        while (values.hasRemaining()) {
            values.putFloat(1);
        }
        return new Safetensors.Content(List.of(HIDDEN), values.flip());
    }

    private static ByteBuffer room(long scalars) {
        return ByteBuffer.allocate(Math.toIntExact(scalars * Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Half of all words end in a, half in b, which is what the reward asks for. */
    private static String word(int token) {
        return "w" + token + (token % 2 == 0 ? "a" : "b");
    }

    /** The end has an id that the model cannot draw, so no answer ends early. */
    private static ObjectNode tokenizer() {
        ObjectNode tokenizer = JSON.createObjectNode().put("version", "1.0");
        tokenizer
                .putArray("added_tokens")
                .addObject()
                .put("id", VOCABULARY)
                .put("content", "</s>")
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
        tokenizer.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
        ObjectNode model = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", word(0));
        ObjectNode words = model.putObject("vocab");
        IntStream.range(0, VOCABULARY).forEach(token -> words.put(word(token), token));
        words.put("</s>", VOCABULARY);
        return tokenizer;
    }

    private static String problems() {
        return IntStream.range(0, PROBLEMS)
                .mapToObj(problem -> "{\"prompt\": \"%s\", \"answer\": \"a\"}%n"
                        .formatted(IntStream.range(0, PROMPT_TOKENS)
                                .mapToObj(i -> word((problem * 7919 + i * 1049) % VOCABULARY))
                                .collect(Collectors.joining(" "))))
                .collect(Collectors.joining());
    }
}
