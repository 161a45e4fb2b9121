package dev.rlvr.trainer.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The shape of a decoder-only model, as {@code config.json} of a Hugging Face folder gives it.
 *
 * @param family Llama, Qwen2 or Qwen3
 * @param vocabulary number of token ids
 * @param hidden width of the residual stream
 * @param intermediate width of the MLP
 * @param layers number of decoder layers
 * @param heads query heads per layer
 * @param kvHeads key and value heads per layer; divides {@code heads}
 * @param headDim width of one head
 * @param rmsEpsilon added to the mean square in norms
 * @param ropeTheta base of the rotary frequencies
 * @param maxPositions longest sequence the model was made for
 * @param tiedHead whether the output head is the embedding
 * @param attentionBias whether query, key and value projections have a bias
 * @param endTokens ids that end an answer
 */
public record ModelConfig(
        Family family,
        int vocabulary,
        int hidden,
        int intermediate,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        double rmsEpsilon,
        double ropeTheta,
        int maxPositions,
        boolean tiedHead,
        boolean attentionBias,
        List<Integer> endTokens) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Supported architectures. */
    public enum Family {
        LLAMA,
        QWEN2,
        QWEN3;

        /** Whether queries and keys are normalised per head. */
        boolean headNorms() {
            return this == QWEN3;
        }
    }

    public ModelConfig {
        endTokens = List.copyOf(endTokens);
    }

    /**
     * Reads {@code config.json} and {@code generation_config.json} of a model folder.
     *
     * @throws InputException if the folder has no readable configuration or asks for what is not supported
     */
    public static ModelConfig read(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new InputException("there is no folder " + folder + "; give a Hugging Face model folder");
        }
        JsonNode config = readJson(folder.resolve("config.json"));
        Family family = switch (config.path("model_type").asText("")) {
            case "llama" -> Family.LLAMA;
            case "qwen2" -> Family.QWEN2;
            case "qwen3" -> Family.QWEN3;
            default ->
                throw new InputException(folder.resolve("config.json") + " has "
                        + (config.has("model_type") ? "model_type " + config.path("model_type") : "no model_type")
                        + "; supported are llama, qwen2 and qwen3");
        };
        refuseWhatIsNotSupported(folder, family, config);
        int hidden = number(folder, config, "hidden_size");
        int heads = number(folder, config, "num_attention_heads");
        int kvHeads = config.path("num_key_value_heads").asInt(heads);
        int headDim = config.path("head_dim").asInt(hidden / heads);
        if (kvHeads < 1 || heads % kvHeads != 0) {
            throw new InputException(folder.resolve("config.json") + " has num_key_value_heads " + kvHeads
                    + "; a divisor of num_attention_heads " + heads + " is needed");
        }
        if (headDim < 2 || headDim % 2 != 0) {
            throw new InputException(
                    folder.resolve("config.json") + " has head_dim " + headDim + "; a positive even number is needed");
        }
        return new ModelConfig(
                family,
                number(folder, config, "vocab_size"),
                hidden,
                number(folder, config, "intermediate_size"),
                number(folder, config, "num_hidden_layers"),
                heads,
                kvHeads,
                headDim,
                config.path("rms_norm_eps").asDouble(1e-6),
                ropeParameters(config)
                        .path("rope_theta")
                        .asDouble(config.path("rope_theta").asDouble(10_000)),
                config.path("max_position_embeddings").asInt(2048),
                config.path("tie_word_embeddings").asBoolean(false),
                family == Family.QWEN2,
                endTokens(folder, config));
    }

    private static void refuseWhatIsNotSupported(Path folder, Family family, JsonNode config) {
        List<String> unsupported = new ArrayList<>();
        if (family != Family.QWEN2 && config.path("attention_bias").asBoolean(false)) {
            unsupported.add("attention_bias true"); // there, the output projection would have one, too
        }
        if (config.path("use_sliding_window").asBoolean(false)) {
            unsupported.add("use_sliding_window true");
        }
        if (config.hasNonNull("quantization_config")) {
            unsupported.add("quantization_config");
        }
        if (config.path("mlp_bias").asBoolean(false)) {
            unsupported.add("mlp_bias true");
        }
        if (!"silu".equals(config.path("hidden_act").asText("silu"))) {
            unsupported.add("hidden_act " + config.path("hidden_act").asText());
        }
        JsonNode rope = ropeParameters(config);
        String ropeType = rope.path("rope_type").asText(rope.path("type").asText("default"));
        if (!"default".equals(ropeType)) {
            unsupported.add("rope_scaling of type " + ropeType);
        }
        if (!unsupported.isEmpty()) {
            throw new InputException(folder.resolve("config.json") + " asks for " + String.join(", ", unsupported)
                    + ", which this trainer does not support; choose another model");
        }
    }

    /** {@code rope_parameters} since transformers 5, {@code rope_scaling} before. */
    private static JsonNode ropeParameters(JsonNode config) {
        return config.hasNonNull("rope_parameters") ? config.path("rope_parameters") : config.path("rope_scaling");
    }

    private static List<Integer> endTokens(Path folder, JsonNode config) {
        Path generation = folder.resolve("generation_config.json");
        JsonNode ids =
                Files.exists(generation) ? readJson(generation).path("eos_token_id") : config.path("eos_token_id");
        if (ids.isMissingNode() || ids.isNull()) {
            ids = config.path("eos_token_id");
        }
        List<Integer> ends = new ArrayList<>();
        if (ids.isArray()) {
            ids.forEach(id -> ends.add(id.asInt()));
        } else if (ids.isInt()) {
            ends.add(ids.asInt());
        }
        if (ends.isEmpty()) {
            throw new InputException(
                    folder.resolve("config.json") + " has no eos_token_id, so that answers would never end; add it");
        }
        return ends;
    }

    private static int number(Path folder, JsonNode config, String field) {
        if (!config.path(field).canConvertToInt() || config.path(field).asInt() < 1) {
            throw new InputException(folder.resolve("config.json") + " has " + field + " " + config.path(field)
                    + "; a positive integer is needed");
        }
        return config.path(field).asInt();
    }

    private static JsonNode readJson(Path file) {
        try {
            JsonNode json = JSON.readTree(file.toFile());
            if (!json.isObject()) {
                throw new InputException(file + " is not a JSON object; fetch it again");
            }
            return json;
        } catch (JsonProcessingException e) {
            throw new InputException(
                    file + " is not JSON (line "
                            + (e.getLocation() == null ? 1 : e.getLocation().getLineNr()) + "); fetch it again",
                    e);
        } catch (IOException e) {
            throw new InputException("cannot read " + file + ": "
                    + (Files.exists(file) ? e.getMessage() : "no such file")
                    + "; give a complete Hugging Face model folder");
        }
    }

    /** Scalars in all weights. */
    public long parameters() {
        return WeightLayout.of(this).stream()
                .mapToLong(WeightLayout.Entry::size)
                .sum();
    }
}
