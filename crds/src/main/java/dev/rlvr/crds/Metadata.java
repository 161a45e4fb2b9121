package dev.rlvr.crds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Checks a manifest's metadata as the API server would: the part of an object that no CRD describes. */
final class Metadata {
    private static final Set<String> FIELDS = Set.of(
            "name",
            "namespace",
            "labels",
            "annotations",
            "generateName",
            "finalizers",
            "ownerReferences",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "managedFields");
    /** Form of a name that is one DNS label, but for its length. */
    static final String DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

    private static final Pattern NAMESPACE = Pattern.compile(DNS_LABEL);
    private static final Pattern LABEL_KEY =
            Pattern.compile("([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?");
    private static final Pattern LABEL_VALUE = Pattern.compile("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?");

    private Metadata() {}

    /** The problems of an object's metadata, one line each; a missing namespace becomes {@code default}. */
    static List<String> check(ObjectNode object) {
        if (!(object.path("metadata") instanceof ObjectNode metadata)) {
            return List.of("metadata.name: is required: the job's name");
        }
        List<String> problems = new ArrayList<>();
        metadata.properties().forEach(field -> {
            if (!FIELDS.contains(field.getKey())) {
                problems.add("metadata." + field.getKey() + ": unknown field"
                        + FieldNames.nearest(
                                        field.getKey(), FIELDS.stream().sorted().toList())
                                .map(name -> "; did you mean " + name + "?")
                                .orElse(""));
            }
        });
        name(metadata, problems);
        if (metadata.path("namespace").isMissingNode()
                || metadata.path("namespace").isNull()) {
            metadata.put("namespace", "default");
        } else if (!NAMESPACE.matcher(metadata.path("namespace").asText()).matches()
                || metadata.path("namespace").asText().length() > 63) {
            problems.add("metadata.namespace: '" + metadata.path("namespace").asText()
                    + "' is not a name of lower-case letters, digits and '-', at most 63 characters");
        }
        texts("labels", metadata, LABEL_VALUE, problems);
        texts("annotations", metadata, Pattern.compile("(?s).*"), problems);
        return problems;
    }

    private static void name(ObjectNode metadata, List<String> problems) {
        JsonNode name = metadata.path("name");
        if (name.isMissingNode() || name.isNull() || name.asText().isEmpty()) {
            problems.add("metadata.name: is required: the job's name");
        } else if (!name.isTextual()) {
            problems.add("metadata.name: " + name.asText() + " is not a string; put it in quotes");
        }
    }

    private static void texts(String field, ObjectNode metadata, Pattern allowed, List<String> problems) {
        JsonNode map = metadata.path(field);
        if (map.isMissingNode() || map.isNull()) {
            metadata.remove(field);
            return;
        }
        if (!map.isObject()) {
            problems.add("metadata." + field + ": is not an object of names and strings");
            return;
        }
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String path = "metadata." + field + "[" + entry.getKey() + "]: ";
            if (!LABEL_KEY.matcher(entry.getKey()).matches()) {
                problems.add(path + "the key is not a qualified name such as team or example.com/team");
            }
            if (!entry.getValue().isTextual()) {
                problems.add(path + entry.getValue().asText() + " is not a string; put it in quotes");
            } else if (!allowed.matcher(entry.getValue().asText()).matches()) {
                problems.add(path + "'" + entry.getValue().asText()
                        + "' is not a label value: at most 63 letters, digits, '-', '_' and '.'");
            }
        }
    }
}
