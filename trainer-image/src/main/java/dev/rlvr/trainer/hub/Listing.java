package dev.rlvr.trainer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * The files of a repository at a commit.
 *
 * @param commit 40 hexadecimal digits
 * @param entries its files
 */
record Listing(String commit, List<Entry> entries) {
    /** Size of a file whose size the hub does not say. */
    static final long UNKNOWN = -1;

    /**
     * A file.
     *
     * @param name path in the repository
     * @param bytes size, or {@link #UNKNOWN}
     */
    record Entry(String name, long bytes) {}

    Listing {
        entries = List.copyOf(entries);
    }

    /** Reads what a hub answers, or what {@link #json} has written. */
    static Listing of(JsonNode answer) {
        return new Listing(
                answer.path("sha").asText(),
                StreamSupport.stream(answer.path("siblings").spliterator(), false)
                        .map(file -> new Entry(
                                file.path("rfilename").asText(),
                                file.path("size").asLong(UNKNOWN)))
                        .toList());
    }

    JsonNode json() {
        ObjectNode root = new ObjectMapper().createObjectNode().put("sha", commit);
        ArrayNode siblings = root.putArray("siblings");
        entries.forEach(
                entry -> siblings.addObject().put("rfilename", entry.name()).put("size", entry.bytes()));
        return root;
    }

    Optional<Entry> entry(String name) {
        return entries.stream().filter(entry -> entry.name().equals(name)).findFirst();
    }
}
