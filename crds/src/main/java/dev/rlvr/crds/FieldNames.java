package dev.rlvr.crds;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The field names of the resource, to tell the author of an unknown one what was probably meant. */
final class FieldNames {
    private static final int CLOSE = 2;

    private final Schema resource;

    FieldNames(Schema resource) {
        this.resource = resource;
    }

    /** The message for a field that {@code schema} does not have: a near spelling, its right place, or what there is. */
    String unknown(String field, Schema schema) {
        List<String> known = new ArrayList<>();
        schema.properties().forEach(property -> known.add(property.getKey()));
        return "unknown field; "
                + nearest(field, known)
                        .map(name -> "did you mean " + name + "?")
                        .or(() -> place(field).map(path -> "it belongs to " + path))
                        .orElse("known here: " + String.join(", ", known));
    }

    /** The known name that a misspelt one is closest to. */
    static Optional<String> nearest(String field, List<String> known) {
        return known.stream()
                .filter(name -> distance(field, name) <= Math.min(CLOSE, name.length() / 2))
                .min(Comparator.comparingInt(name -> distance(field, name)));
    }

    /** The only object of the spec that has this field. */
    private Optional<String> place(String field) {
        List<String> places = new ArrayList<>();
        collect("spec", resource.property("spec"), field, places);
        return places.size() == 1 ? Optional.of(places.getFirst()) : Optional.empty();
    }

    private static void collect(String path, Schema schema, String field, List<String> places) {
        for (Map.Entry<String, JsonNode> property : schema.properties()) {
            if (property.getKey().equals(field)) {
                places.add(path);
            }
            collect(path + "." + property.getKey(), new Schema(property.getValue()), field, places);
        }
    }

    /** Edit distance, letter case aside. */
    private static int distance(String a, String b) {
        String left = a.toLowerCase(Locale.ROOT);
        String right = b.toLowerCase(Locale.ROOT);
        int[] row = new int[right.length() + 1];
        for (int j = 0; j <= right.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= left.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.length(); j++) {
                int substituted = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[right.length()];
    }
}
