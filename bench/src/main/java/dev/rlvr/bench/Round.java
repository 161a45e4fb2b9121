package dev.rlvr.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What one side measured in one round.
 *
 * @param seconds on the clock
 * @param cpuSeconds of all its threads
 * @param check a number that must be the same on both sides if they did the same work: a loss, a count of tokens
 * @param bytes memory; the benchmark says which: the process's peak, or the peak above what the round began with
 */
record Round(double seconds, double cpuSeconds, double check, double bytes) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Round of(JsonNode json) {
        return new Round(
                json.path("seconds").asDouble(Double.NaN),
                json.path("cpu_seconds").asDouble(Double.NaN),
                json.path("check").asDouble(Double.NaN),
                json.path("bytes").asDouble(Double.NaN));
    }

    ObjectNode json() {
        return JSON.createObjectNode()
                .put("seconds", seconds)
                .put("cpu_seconds", cpuSeconds)
                .put("check", check)
                .put("bytes", bytes);
    }
}
