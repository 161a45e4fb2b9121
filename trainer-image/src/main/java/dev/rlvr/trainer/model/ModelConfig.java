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
 * @param ropeScaling how the rotary frequencies are changed for longer texts
 * @param maxPositions longest sequence the model was made for
 * @param tiedHead whether the output head is the embedding
 * @param attentionBias whether query, key and value projections have a bias
 * @param endTokens ids that end an answer; empty where the model names none, so that it can be scored but not sampled from
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
        RopeScaling ropeScaling,
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

    /** A model whose rotary frequencies are not scaled. */
    public ModelConfig(
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
        this(
                family,
                vocabulary,
                hidden,
                intermediate,
                layers,
                heads,
                kvHeads,
                headDim,
                rmsEpsilon,
                ropeTheta,
                new RopeScaling.None(),
                maxPositions,
                tiedHead,
                attentionBias,
                endTokens);
    }

    /** The same model with a head of its own. */
    ModelConfig untied() {
        return new ModelConfig(
                family,
                vocabulary,
                hidden,
                intermediate,
                layers,
                heads,
                kvHeads,
                headDim,
                rmsEpsilon,
                ropeTheta,
                ropeScaling,
                maxPositions,
                false,
                attentionBias,
                endTokens);
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
        Path file = folder.resolve("config.json");
        JsonNode config = readJson(file);
        Family family = family(file, config);
        refuseWhatIsNotSupported(file, family, config);
        int hidden = number(file, config, "hidden_size");
        int heads = number(file, config, "num_attention_heads");
        int maxPositions = numberOr(file, config, "max_position_embeddings", family == Family.LLAMA ? 2048 : 32_768);
        RopeParameters rope = RopeParameters.read(file, config, maxPositions);
        return new ModelConfig(
                family,
                number(file, config, "vocab_size"),
                hidden,
                number(file, config, "intermediate_size"),
                number(file, config, "num_hidden_layers"),
                heads,
                kvHeads(file, family, config, heads),
                headDim(file, family, config, hidden / heads),
                epsilon(file, config),
                rope.theta(),
                rope.scaling(),
                maxPositions,
                config.path("tie_word_embeddings").asBoolean(false),
                family == Family.QWEN2,
                endTokens(folder, family, config));
    }

    private static Family family(Path file, JsonNode config) {
        return switch (config.path("model_type").asText("")) {
            case "llama" -> Family.LLAMA;
            case "qwen2" -> Family.QWEN2;
            case "qwen3" -> Family.QWEN3;
            default ->
                throw new InputException(file + " has "
                        + (config.has("model_type") ? "model_type " + config.path("model_type") : "no model_type")
                        + "; supported are llama, qwen2 and qwen3, dense ones only");
        };
    }

    /** Left out, it is what the family's configuration class in transformers takes; null means no grouping. */
    private static int kvHeads(Path file, Family family, JsonNode config, int heads) {
        int left = family == Family.LLAMA || config.has("num_key_value_heads") ? heads : 32;
        int kvHeads = config.path("num_key_value_heads").asInt(left);
        if (kvHeads < 1 || heads % kvHeads != 0) {
            throw new InputException(file + " has num_key_value_heads " + kvHeads
                    + "; a divisor of num_attention_heads " + heads + " is needed");
        }
        return kvHeads;
    }

    private static int headDim(Path file, Family family, JsonNode config, int even) {
        int left = family == Family.QWEN3 ? 128 : even;
        int headDim = family == Family.QWEN3 && config.path("head_dim").isNull()
                ? 0
                : config.path("head_dim").asInt(left);
        if (headDim < 2 || headDim % 2 != 0) {
            throw new InputException(file + " has head_dim "
                    + (config.has("head_dim")
                            ? config.path("head_dim")
                            : headDim + " (hidden_size / num_attention_heads)")
                    + "; a positive even number is needed");
        }
        return headDim;
    }

    private static double epsilon(Path file, JsonNode config) {
        double epsilon = config.path("rms_norm_eps").asDouble(1e-6);
        if (!(epsilon > 0)) {
            throw new InputException(
                    file + " has rms_norm_eps " + config.path("rms_norm_eps") + "; a positive number is needed");
        }
        return epsilon;
    }

    private static void refuseWhatIsNotSupported(Path file, Family family, JsonNode config) {
        List<String> unsupported = new ArrayList<>();
        if (family != Family.QWEN2 && config.path("attention_bias").asBoolean(false)) {
            unsupported.add("attention_bias true"); // there, the output projection would have one, too
        }
        // a sliding_window that nothing switches on, as Qwen configurations have one, is no problem
        if (config.path("use_sliding_window").asBoolean(false)) {
            unsupported.add("use_sliding_window true");
        }
        config.path("layer_types")
                .valueStream()
                .map(JsonNode::asText)
                .distinct()
                .forEach(type -> {
                    if (!"full_attention".equals(type)) {
                        unsupported.add("layer_types " + type);
                    }
                });
        if (config.hasNonNull("quantization_config")) {
            String method =
                    config.path("quantization_config").path("quant_method").asText("");
            unsupported.add("quantization_config" + (method.isEmpty() ? "" : " (" + method + ")"));
        }
        for (String experts : List.of("num_experts", "num_local_experts", "n_routed_experts")) {
            if (config.path(experts).asInt(0) > 1) {
                unsupported.add(experts + " " + config.path(experts));
            }
        }
        if (config.path("mlp_bias").asBoolean(false)) {
            unsupported.add("mlp_bias true");
        }
        if (!"silu".equals(config.path("hidden_act").asText("silu"))) {
            unsupported.add("hidden_act " + config.path("hidden_act").asText());
        }
        unsupported.addAll(RopeParameters.unsupported(config));
        if (!unsupported.isEmpty()) {
            throw new InputException(file + " asks for " + String.join(", ", unsupported)
                    + ", which this trainer does not support; choose another model");
        }
    }

    private static List<Integer> endTokens(Path folder, Family family, JsonNode config) {
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
        } else if (ids.isMissingNode() && family == Family.LLAMA) {
            ends.add(2); // as transformers has it
        }
        return ends;
    }

    private static int number(Path file, JsonNode config, String field) {
        if (!config.path(field).canConvertToInt() || config.path(field).asInt() < 1) {
            throw new InputException(
                    file + " has " + field + " " + config.path(field) + "; a positive integer is needed");
        }
        return config.path(field).asInt();
    }

    private static int numberOr(Path file, JsonNode config, String field, int left) {
        return config.has(field) ? number(file, config, field) : left;
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
