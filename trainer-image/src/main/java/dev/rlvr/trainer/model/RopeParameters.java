package dev.rlvr.trainer.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.rlvr.trainer.InputException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What {@code config.json} says of the rotary embedding: {@code rope_parameters} since transformers 5, {@code rope_scaling} and
 * {@code rope_theta} before. Where several say something, the same one counts as in transformers.
 *
 * @param theta base of the frequencies
 * @param scaling how they are changed
 */
record RopeParameters(double theta, RopeScaling scaling) {
    private static final double DEFAULT_THETA = 10_000;
    private static final double DEFAULT_BETA_FAST = 32;
    private static final double DEFAULT_BETA_SLOW = 1;

    /** What a configuration asks for and this trainer cannot do, by name. */
    static List<String> unsupported(JsonNode config) {
        List<String> unsupported = new ArrayList<>();
        JsonNode parameters = parameters(config);
        switch (type(parameters)) {
            case "default", "linear", "llama3", "yarn" -> {}
            default -> unsupported.add(place(config) + " of type " + type(parameters));
        }
        for (JsonNode value : parameters) {
            if (value.isObject()) {
                unsupported.add(place(config) + " for each kind of layer");
                break;
            }
        }
        for (JsonNode node : List.of(config, parameters)) {
            if (node.path("partial_rotary_factor").asDouble(1) != 1) {
                unsupported.add("partial_rotary_factor " + node.path("partial_rotary_factor"));
            }
        }
        return unsupported;
    }

    /**
     * Reads what {@link #unsupported} has nothing against.
     *
     * @throws InputException if a number is missing or makes no sense
     */
    static RopeParameters read(Path file, JsonNode config, int maxPositions) {
        Reader reader = new Reader(file, place(config), parameters(config));
        double theta = reader.optional("rope_theta")
                .orElseGet(() -> new Reader(file, "config", config)
                        .optional("rope_theta")
                        .orElse(DEFAULT_THETA));
        JsonNode original = config.hasNonNull("original_max_position_embeddings")
                ? config
                : parameters(config); // so in transformers: what stands outside wins
        int originalPositions =
                original.path("original_max_position_embeddings").asInt(maxPositions);
        RopeScaling scaling = switch (type(parameters(config))) {
            case "linear" -> new RopeScaling.Linear(reader.required("factor"));
            case "llama3" -> llama3(reader, originalPositions);
            case "yarn" -> yarn(reader, originalPositions, maxPositions);
            default -> new RopeScaling.None();
        };
        return new RopeParameters(theta, scaling);
    }

    private static RopeScaling llama3(Reader reader, int originalPositions) {
        double low = reader.required("low_freq_factor");
        double high = reader.required("high_freq_factor");
        if (high <= low) {
            throw reader.wrong("high_freq_factor", "a number over low_freq_factor " + low);
        }
        return new RopeScaling.Llama3(reader.required("factor"), low, high, originalPositions);
    }

    private static RopeScaling yarn(Reader reader, int originalPositions, int maxPositions) {
        double factor = reader.isNull("factor") ? (double) maxPositions / originalPositions : reader.required("factor");
        Optional<Double> scale = reader.optional("mscale");
        Optional<Double> scaleOfAll = reader.optional("mscale_all_dim");
        double inferred = scale.isPresent() && scaleOfAll.isPresent()
                ? sharpness(factor, scale.get()) / sharpness(factor, scaleOfAll.get())
                : sharpness(factor, 1);
        return new RopeScaling.Yarn(
                factor,
                reader.optional("attention_factor").orElse(inferred),
                reader.optional("beta_fast").orElse(DEFAULT_BETA_FAST),
                reader.optional("beta_slow").orElse(DEFAULT_BETA_SLOW),
                originalPositions,
                reader.node().path("truncate").asBoolean(true));
    }

    /** How much larger queries and keys become, as the paper proposes. */
    private static double sharpness(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    private static String type(JsonNode parameters) {
        return parameters.path("rope_type").asText(parameters.path("type").asText("default"));
    }

    private static String place(JsonNode config) {
        return config.path("rope_scaling").isEmpty() ? "rope_parameters" : "rope_scaling";
    }

    /** An empty object where nothing is said. */
    private static JsonNode parameters(JsonNode config) {
        JsonNode parameters = config.path(place(config));
        return parameters.isObject() ? parameters : MissingNode.getInstance();
    }

    /** Reads positive numbers of one object. */
    private record Reader(Path file, String place, JsonNode node) {
        boolean isNull(String field) {
            return node.path(field).isNull();
        }

        double required(String field) {
            return optional(field).orElseThrow(() -> wrong(field, "a number over 0"));
        }

        /** Nothing where the field is missing, null or, as transformers takes it in most places, 0. */
        Optional<Double> optional(String field) {
            JsonNode value = node.path(field);
            if (value.isMissingNode() || value.isNull() || (value.isNumber() && value.doubleValue() == 0)) {
                return Optional.empty();
            }
            if (!value.isNumber() || !(value.doubleValue() > 0)) {
                throw wrong(field, "a number over 0");
            }
            return Optional.of(value.doubleValue());
        }

        InputException wrong(String field, String needed) {
            return new InputException(file + " has " + ("config".equals(place) ? "" : "in " + place + " ") + field + " "
                    + (node.has(field) ? node.path(field) : "nowhere") + "; " + needed + " is needed");
        }
    }
}
