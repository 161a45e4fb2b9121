package dev.rlvr.trainer.serve;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.model.Drawing;
import dev.rlvr.trainer.model.ModelConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * What {@code POST /generate} asks for.
 *
 * @param asks all answers, prompt by prompt
 * @param single whether it is one answer to one prompt that is not in a list: then the reply is none either
 */
record GenerateBody(List<Ask> asks, boolean single) {
    private static final Set<String> FIELDS =
            Set.of("input_ids", "sampling_params", "return_logprob", "rid", "stream", "logprob_start_len");
    private static final Set<String> SAMPLING = Set.of(
            "temperature",
            "top_p",
            "top_k",
            "max_new_tokens",
            "stop_token_ids",
            "sampling_seed",
            "n",
            "skip_special_tokens",
            "spaces_between_special_tokens",
            "no_stop_trim");

    /** Tokens of an answer where the request does not say. */
    private static final int LONGEST = 128;

    private static final int MOST_ANSWERS = 4096;

    /** What was sent is not a request that can be answered. */
    static final class WrongException extends RuntimeException {
        private static final long serialVersionUID = 1;

        WrongException(String message) {
            super(message);
        }
    }

    /**
     * Reads and checks a request for a model; {@code random} makes the seeds that it does not give.
     *
     * @throws WrongException with the field, its value and what is allowed
     */
    static GenerateBody of(JsonNode body, ModelConfig config, RandomGenerator random) {
        only(body, FIELDS, "");
        if (body.path("stream").asBoolean()) {
            throw new WrongException("stream: true is not supported; leave it out");
        }
        JsonNode inputs = body.path("input_ids");
        if (!inputs.isArray() || inputs.isEmpty()) {
            throw new WrongException("input_ids: give the token ids of a prompt, or a list of such lists");
        }
        boolean one = !inputs.get(0).isArray();
        List<Ask> asks = new ArrayList<>();
        JsonNode sampling = body.path("sampling_params");
        for (int i = 0; i < (one ? 1 : inputs.size()); i++) {
            JsonNode parameters = sampling.isArray() ? sampling.path(i) : sampling;
            only(parameters, SAMPLING, "sampling_params.");
            asks.addAll(asks(tokens(one ? inputs : inputs.get(i), config), parameters, config, random));
        }
        if (sampling.isArray() && sampling.size() != (one ? 1 : inputs.size())) {
            throw new WrongException("sampling_params: a list needs one entry for each prompt");
        }
        if (asks.size() > MOST_ANSWERS) {
            throw new WrongException("input_ids: at most " + MOST_ANSWERS + " answers in one request");
        }
        return new GenerateBody(asks, one && asks.size() == 1);
    }

    private static void only(JsonNode object, Set<String> known, String prefix) {
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw new WrongException(prefix + name + " is not supported; leave it out");
            }
        });
    }

    private static List<Integer> tokens(JsonNode list, ModelConfig config) {
        List<Integer> tokens = new ArrayList<>();
        for (JsonNode token : list) {
            if (!token.isInt() || token.intValue() < 0 || token.intValue() >= config.vocabulary()) {
                throw new WrongException(
                        "input_ids: " + token + " is not a token; ids are from 0 to " + (config.vocabulary() - 1));
            }
            tokens.add(token.intValue());
        }
        if (tokens.isEmpty()) {
            throw new WrongException("input_ids: a prompt needs at least one token");
        }
        return tokens;
    }

    private static List<Ask> asks(
            List<Integer> tokens, JsonNode parameters, ModelConfig config, RandomGenerator random) {
        int room = config.maxPositions() - tokens.size();
        int longest = integer(parameters, "max_new_tokens", Math.clamp(room, 1, LONGEST), 1, config.maxPositions());
        if (longest > room) {
            throw new WrongException("sampling_params.max_new_tokens: " + longest + " and a prompt of " + tokens.size()
                    + " tokens are more than the model's " + config.maxPositions());
        }
        Drawing drawing = drawing(parameters);
        Set<Integer> ends = new HashSet<>();
        parameters.path("stop_token_ids").forEach(token -> ends.add(token.asInt(-1)));
        int answers = integer(parameters, "n", 1, 1, MOST_ANSWERS);
        JsonNode given = parameters.path("sampling_seed");
        boolean integer = given.isIntegralNumber() && given.canConvertToLong();
        if (!integer && !given.isMissingNode() && !given.isNull()) {
            throw new WrongException("sampling_params.sampling_seed: " + given + " is not an integer of 64 bits");
        }
        long seed = integer ? given.longValue() : random.nextLong();
        List<Ask> asks = new ArrayList<>();
        for (int answer = 0; answer < answers; answer++) {
            asks.add(new Ask(
                    tokens, drawing, longest, ends, answers == 1 ? seed : new SplitMix64(seed, answer).state()));
        }
        return asks;
    }

    private static Drawing drawing(JsonNode parameters) {
        int topK = integer(parameters, "top_k", -1, -1, Integer.MAX_VALUE);
        double temperature = number(parameters, "temperature");
        double topP = number(parameters, "top_p");
        try {
            return new Drawing(temperature, topP, Math.max(0, topK));
        } catch (IllegalArgumentException e) {
            throw new WrongException("sampling_params: " + e.getMessage());
        }
    }

    private static double number(JsonNode parameters, String name) {
        JsonNode value = parameters.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return 1;
        }
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw new WrongException("sampling_params." + name + ": " + value + " is not a number");
        }
        return value.doubleValue();
    }

    private static int integer(JsonNode parameters, String name, int absent, int least, int most) {
        JsonNode value = parameters.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return absent;
        }
        if (!value.canConvertToInt()
                || !value.isIntegralNumber()
                || value.intValue() < least
                || value.intValue() > most) {
            throw new WrongException(
                    "sampling_params." + name + ": " + value + " is not an integer from " + least + " to " + most);
        }
        return value.intValue();
    }
}
