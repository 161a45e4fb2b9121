package dev.rlvr.cli.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A sampled answer.
 *
 * @param prompt the problem as the model saw it
 * @param reference the answer that would have been right
 * @param reward what it earned
 * @param tokens in order
 */
record Answer(String prompt, String reference, double reward, List<Token> tokens) {
    /**
     * One generated token.
     *
     * @param entropy of the distribution it was sampled from, in nats
     * @param logProbability of this token under it
     * @param kept whether it took part in the update
     */
    record Token(String text, double entropy, double logProbability, boolean kept) {}

    /** A line of {@code rollouts/*.jsonl}; empty where it does not give text and entropy of each token. */
    static Optional<Answer> of(JsonNode line) {
        JsonNode texts = line.path("tokens");
        JsonNode entropies = line.path("entropies");
        boolean said = texts.isArray() && !texts.isEmpty() && entropies.size() >= texts.size();
        // rollout servers say no entropies
        if (!said || entropies.get(0).isNull()) {
            return Optional.empty();
        }
        List<Token> tokens = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            JsonNode kept = line.path("kept").path(i);
            tokens.add(new Token(
                    texts.get(i).asText(),
                    entropies.get(i).asDouble(),
                    line.path("logprobs").path(i).asDouble(),
                    kept.asBoolean() || kept.asDouble() > 0));
        }
        return Optional.of(new Answer(
                line.path("prompt").asText(),
                line.path("answer").asText(),
                line.path("reward").asDouble(),
                tokens));
    }
}
