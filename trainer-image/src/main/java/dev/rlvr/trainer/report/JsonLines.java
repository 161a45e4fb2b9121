package dev.rlvr.trainer.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/** A file of one JSON object a line, each with a {@code step}. */
final class JsonLines {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    JsonLines(Path file) {
        this.file = file;
    }

    /** Adds a line with one write, so that a killed process leaves at most one torn line, at the end. */
    void append(JsonNode line) throws IOException {
        byte[] bytes = (JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8);
        Files.write(file, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** The whole lines, in order. */
    List<JsonNode> read() throws IOException {
        return lines().stream().map(JsonLines::parse).flatMap(Optional::stream).toList();
    }

    /** Drops the lines beyond a step and what a killed process left torn; the file is replaced as a whole or not at all. */
    void truncateAfter(int step) throws IOException {
        StringBuilder kept = new StringBuilder();
        for (String line : lines()) {
            if (parse(line).filter(json -> json.get("step").asInt() <= step).isPresent()) {
                kept.append(line).append('\n');
            }
        }
        byte[] bytes = kept.toString().getBytes(StandardCharsets.UTF_8);
        if (Files.exists(file) && Files.size(file) != bytes.length) {
            Replacement.write(file, bytes);
        }
    }

    private List<String> lines() throws IOException {
        if (Files.notExists(file)) {
            return List.of();
        }
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        return text.lines().filter(line -> !line.isBlank()).toList();
    }

    private static Optional<JsonNode> parse(String line) {
        try {
            return Optional.of(JSON.readTree(line))
                    .filter(json -> json.path("step").isInt());
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }
}
