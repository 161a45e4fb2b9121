package dev.rlvr.cli.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.cli.local.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Reads files of one JSON object a line while a trainer may still be writing them. */
final class Lines {
    private Lines() {}

    /** The objects of a file, none where it does not exist; a line that is not finished yet ends it. */
    static List<JsonNode> read(Path file) throws IOException {
        List<JsonNode> objects = new ArrayList<>();
        if (!Files.exists(file)) {
            return objects;
        }
        try (Stream<String> lines = Files.lines(file)) {
            for (String line : (Iterable<String>) lines::iterator) {
                try {
                    objects.add(Json.MAPPER.readTree(line));
                } catch (JsonProcessingException e) {
                    return objects;
                }
            }
        }
        return objects;
    }
}
