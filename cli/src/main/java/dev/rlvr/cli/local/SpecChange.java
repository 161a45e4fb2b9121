package dev.rlvr.cli.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.rlvr.crds.RLVRJob;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What a manifest says otherwise than the one that a work folder belongs to. */
final class SpecChange {
    /** What the API server lets nobody change either: the checkpoints would not fit. */
    private static final List<String> FIXED = List.of(
            "metadata.name",
            "metadata.namespace",
            "spec.model",
            "spec.data",
            "spec.reward",
            "spec.algorithm",
            "spec.rollout.engine",
            "spec.rollout.temperature",
            "spec.rollout.topP",
            "spec.rollout.topK",
            "spec.rollout.maxResponseTokens",
            "spec.checkpoint.volume");

    private SpecChange() {}

    /** Changes that a run cannot go on with, one line each: {@code spec.algorithm.steps: 30, now 60}. */
    static List<String> between(RLVRJob stored, RLVRJob asked) {
        return all(stored, asked).stream()
                .filter(line -> FIXED.stream().anyMatch(field -> isUnder(field, line)))
                .toList();
    }

    /** Every change, in the order of the fields. */
    static List<String> all(RLVRJob stored, RLVRJob asked) {
        List<String> lines = new ArrayList<>();
        compare(
                "metadata.name",
                name(stored.getMetadata().getName()),
                name(asked.getMetadata().getName()),
                lines);
        compare(
                "metadata.namespace",
                name(stored.getMetadata().getNamespace()),
                name(asked.getMetadata().getNamespace()),
                lines);
        compare("spec", Json.MAPPER.valueToTree(stored.getSpec()), Json.MAPPER.valueToTree(asked.getSpec()), lines);
        return lines;
    }

    private static JsonNode name(String value) {
        return Json.MAPPER.valueToTree(value);
    }

    private static boolean isUnder(String field, String line) {
        return line.startsWith(field) && ".:".indexOf(line.charAt(field.length())) >= 0;
    }

    private static void compare(String path, JsonNode before, JsonNode now, List<String> lines) {
        if (before.equals(now)) {
            return;
        }
        if (before.isObject() && now.isObject()) {
            Set<String> names = new LinkedHashSet<>();
            before.fieldNames().forEachRemaining(names::add);
            now.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                compare(path + "." + name, field(before, name), field(now, name), lines);
            }
            return;
        }
        lines.add(path + ": " + text(before) + ", now " + text(now));
    }

    private static JsonNode field(JsonNode object, String name) {
        return object.has(name) ? object.get(name) : MissingNode.getInstance();
    }

    private static String text(JsonNode value) {
        return value.isMissingNode() || value.isNull()
                ? "not set"
                : value.isValueNode() ? value.asText() : value.toString();
    }
}
