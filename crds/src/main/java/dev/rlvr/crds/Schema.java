package dev.rlvr.crds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** One node of the CRD's structural schema. */
record Schema(JsonNode node) {
    private static final String RESOURCE = "/META-INF/rlvr/rlvrjobs.rlvr.dev-v1.yaml";

    /** The schema of the whole resource: that of the CRD in this jar and what every resource has. */
    static Schema ofResource() {
        try (InputStream crd = Schema.class.getResourceAsStream(RESOURCE)) {
            if (crd == null) {
                throw new IllegalStateException(RESOURCE + " is not in the jar");
            }
            String text = new String(crd.readAllBytes(), StandardCharsets.UTF_8);
            JsonNode root = ManifestText.parse(text, RESOURCE).at("/spec/versions/0/schema/openAPIV3Schema");
            ObjectNode properties = root.withObject("/properties");
            properties.putObject("apiVersion").put("type", "string");
            properties.putObject("kind").put("type", "string");
            properties.putObject("metadata").put("type", "object").put("x-kubernetes-preserve-unknown-fields", true);
            return new Schema(root);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String type() {
        return node.path("type").asText();
    }

    boolean isIntOrString() {
        return node.path("x-kubernetes-int-or-string").asBoolean();
    }

    boolean isOpaque() {
        return node.path("x-kubernetes-preserve-unknown-fields").asBoolean();
    }

    String description() {
        return node.path("description").asText();
    }

    Schema property(String name) {
        return new Schema(node.path("properties").path(name));
    }

    Iterable<Map.Entry<String, JsonNode>> properties() {
        return node.path("properties").properties();
    }

    /** The schema of a field of {@code self}: a declared property or a map's value. */
    Optional<Schema> child(String name) {
        JsonNode declared = node.path("properties").path(name);
        if (!declared.isMissingNode()) {
            return Optional.of(new Schema(declared));
        }
        return optional("additionalProperties").filter(JsonNode::isObject).map(Schema::new);
    }

    Schema items() {
        return new Schema(node.path("items"));
    }

    Optional<JsonNode> optional(String keyword) {
        return Optional.ofNullable(node.get(keyword));
    }

    List<JsonNode> list(String keyword) {
        return StreamSupport.stream(node.path(keyword).spliterator(), false).toList();
    }

    /**
     * Fills in defaults as the API server does: a null goes where the field is not nullable, then a missing field gets
     * its default, then the fields within.
     */
    void applyDefaults(JsonNode value) {
        switch (value) {
            case ObjectNode object -> {
                properties().forEach(property -> {
                    String name = property.getKey();
                    Schema schema = new Schema(property.getValue());
                    if (object.path(name).isNull()
                            && !property.getValue().path("nullable").asBoolean()) {
                        object.remove(name);
                    }
                    if (!object.has(name)) {
                        schema.optional("default").ifPresent(standard -> object.set(name, standard.deepCopy()));
                    }
                });
                object.properties()
                        .forEach(field ->
                                child(field.getKey()).ifPresent(schema -> schema.applyDefaults(field.getValue())));
            }
            case ArrayNode array -> array.forEach(items()::applyDefaults);
            default -> {
                // A scalar has no fields to fill in.
            }
        }
    }
}
