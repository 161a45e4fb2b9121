package dev.rlvr.trainer.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/** A Hugging Face folder of a model of a few thousand random weights, with the quickstart's tokenizer. */
public final class TinyModel {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path TOKENIZER = Path.of("..", "examples", "quickstart", "model", "tokenizer.json");

    private TinyModel() {}

    /** What {@link #write} writes. */
    public static ModelConfig config(ModelConfig.Family family) {
        return new ModelConfig(
                family,
                51,
                16,
                24,
                2,
                4,
                2,
                4,
                1e-6,
                10_000,
                64,
                false,
                family == ModelConfig.Family.QWEN2,
                List.of(1));
    }

    /** {@code config.json} of {@link #config}. */
    public static ObjectNode json(ModelConfig.Family family) {
        ModelConfig config = config(family);
        return JSON.createObjectNode()
                .put("model_type", family.name().toLowerCase(Locale.ROOT))
                .put("vocab_size", config.vocabulary())
                .put("hidden_size", config.hidden())
                .put("intermediate_size", config.intermediate())
                .put("num_hidden_layers", config.layers())
                .put("num_attention_heads", config.heads())
                .put("num_key_value_heads", config.kvHeads())
                .put("head_dim", config.headDim())
                .put("rms_norm_eps", config.rmsEpsilon())
                .put("rope_theta", config.ropeTheta())
                .put("max_position_embeddings", config.maxPositions())
                .put("tie_word_embeddings", config.tiedHead())
                .put("torch_dtype", "bfloat16")
                .put("eos_token_id", 1);
    }

    /** Writes a whole folder. */
    public static Path write(Path folder, ModelConfig.Family family) throws IOException {
        Files.createDirectories(folder);
        writeConfig(folder, json(family));
        Safetensors.write(folder.resolve("model.safetensors"), content(family));
        Files.copy(TOKENIZER, folder.resolve("tokenizer.json"));
        return folder;
    }

    /** Writes or replaces {@code config.json}. */
    public static void writeConfig(Path folder, ObjectNode json) throws IOException {
        JSON.writeValue(folder.resolve("config.json").toFile(), json);
    }

    /** The weights by name. */
    public static SequencedMap<String, Safetensors.Content> content(ModelConfig.Family family) {
        SplittableRandom random = new SplittableRandom(3);
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        for (WeightLayout.Part part : WeightLayout.parts(config(family))) {
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(part.size()) * Float.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) {
                bytes.putFloat(
                        (float) (part.shape().size() == 2 ? random.nextGaussian() : 1 + random.nextGaussian() / 10));
            }
            content.put(part.name(), new Safetensors.Content(part.shape(), bytes.flip()));
        }
        return content;
    }
}
