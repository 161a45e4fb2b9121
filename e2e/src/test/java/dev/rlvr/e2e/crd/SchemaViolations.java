package dev.rlvr.e2e.crd;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** One manifest for each bound that a CRD's schema sets, which breaks that bound and no other: the mistakes that nobody thinks of. */
final class SchemaViolations {
    private static final JsonNodeFactory JSON = JsonMapper.builder().build().getNodeFactory();
    private static final String NO_VALUE = "?!";

    /** Where a value goes: a chain of objects and lists from the root of the manifest down. */
    private record Place(List<String> steps) {
        /** The last step into a list's first entry. */
        static final String ENTRY = "[0]";

        Place field(String name) {
            return with(name);
        }

        Place entry() {
            return with(ENTRY);
        }

        private Place with(String step) {
            List<String> longer = new ArrayList<>(steps);
            longer.add(step);
            return new Place(longer);
        }

        /** As messages have it: {@code spec.evaluation[0].name}. */
        String path() {
            return steps.stream()
                    .map(step -> step.equals(ENTRY) ? step : "." + step)
                    .collect(Collectors.joining())
                    .substring(1);
        }
    }

    private final JsonNode root;
    private final ObjectNode valid;
    private final List<InvalidJob> found = new ArrayList<>();

    private SchemaViolations(JsonNode root, ObjectNode valid) {
        this.root = root;
        this.valid = valid;
    }

    /**
     * All violations of what is under {@code spec}.
     *
     * @param schema the whole resource's schema
     * @param valid a manifest that breaks none
     */
    static List<InvalidJob> of(JsonNode schema, ObjectNode valid) {
        SchemaViolations violations = new SchemaViolations(schema, valid);
        Place spec = new Place(List.of("spec"));
        violations.visit(spec, schema.at("/properties/spec"));
        return List.copyOf(violations.found);
    }

    private void visit(Place place, JsonNode schema) {
        if (schema.path("x-kubernetes-int-or-string").asBoolean()) {
            // messages name a map's field and, each in its own way, the key
            String map = place.path().substring(0, place.path().lastIndexOf('.'));
            add("a quantity", map, place, TextNode.valueOf(NO_VALUE));
            add("a number or text", map, place, JSON.booleanNode(true));
            return;
        }
        switch (schema.path("type").asText()) {
            case "object" -> object(place, schema);
            case "array" -> array(place, schema);
            case "string" -> text(place, schema);
            case "integer" -> integer(place, schema);
            case "number" -> number(place, schema);
            case "boolean" -> add("true or false", place, TextNode.valueOf("perhaps"));
            default -> throw new IllegalStateException(place.path() + " has no type");
        }
    }

    private void object(Place place, JsonNode schema) {
        add("an object", place, TextNode.valueOf(NO_VALUE));
        if (!schema.path("x-kubernetes-preserve-unknown-fields").asBoolean() && !schema.has("additionalProperties")) {
            add("no such field", place.field("nosuchfield"), IntNode.valueOf(1));
        }
        schema.path("required").forEach(name -> addMissing(place.field(name.asText())));
        schema.path("properties").properties().forEach(field -> visit(place.field(field.getKey()), field.getValue()));
        if (schema.has("additionalProperties")) {
            visit(place.field("cpu"), schema.path("additionalProperties"));
        }
    }

    private void array(Place place, JsonNode schema) {
        add("a list", place, TextNode.valueOf(NO_VALUE));
        JsonNode items = schema.path("items");
        if (schema.has("minItems")) {
            add("minItems", place, repeated(items, schema.path("minItems").intValue() - 1));
        }
        if (schema.has("maxItems")) {
            add("maxItems", place, repeated(items, schema.path("maxItems").intValue() + 1));
        }
        visit(place.entry(), items);
    }

    private static ArrayNode repeated(JsonNode items, int times) {
        ArrayNode list = JSON.arrayNode();
        for (int i = 0; i < times; i++) {
            list.add(sample(items, i));
        }
        return list;
    }

    /** A value that the schema takes, different for each number. */
    private static JsonNode sample(JsonNode schema, int number) {
        if (!schema.path("type").asText().equals("object")) {
            return TextNode.valueOf("http://a:" + (1 + number));
        }
        ObjectNode object = JSON.objectNode();
        schema.path("required")
                .forEach(
                        name -> object.put(name.asText(), name.asText().equals("source") ? "file:///a" : "a" + number));
        return object;
    }

    private void text(Place place, JsonNode schema) {
        add("a text", place, IntNode.valueOf(7));
        if (schema.has("enum")) {
            add("enum", place, TextNode.valueOf("Nonsense"));
            String lower = schema.path("enum").get(0).asText().toLowerCase(Locale.ROOT);
            add("enum in lower case", place, TextNode.valueOf(lower));
        }
        if (schema.path("minLength").intValue() > 0) {
            add("minLength", place, TextNode.valueOf(""));
        }
        if (schema.has("maxLength")) {
            add(
                    "maxLength",
                    place,
                    TextNode.valueOf("a".repeat(schema.path("maxLength").intValue() + 1)));
        }
        if (schema.has("pattern") || hasRuleOfItsOwn(schema)) {
            add("form", place, TextNode.valueOf(NO_VALUE));
        }
    }

    private static boolean hasRuleOfItsOwn(JsonNode schema) {
        return StreamSupport.stream(schema.path("x-kubernetes-validations").spliterator(), false)
                .anyMatch(rule -> !rule.path("rule").asText().contains("oldSelf"));
    }

    private void integer(Place place, JsonNode schema) {
        add("an integer", place, TextNode.valueOf("many"));
        add("a whole number", place, JSON.numberNode(new BigDecimal("1.5")));
        bounds(place, schema, BigDecimal.ONE);
    }

    private void number(Place place, JsonNode schema) {
        add("a number", place, TextNode.valueOf("1e-6"));
        bounds(place, schema, new BigDecimal("0.001"));
    }

    private void bounds(Place place, JsonNode schema, BigDecimal little) {
        if (schema.has("minimum")) {
            boolean open = schema.path("exclusiveMinimum").asBoolean();
            BigDecimal bound = schema.path("minimum").decimalValue();
            add("minimum", place, number(open ? bound : bound.subtract(little)));
        }
        if (schema.has("maximum")) {
            boolean open = schema.path("exclusiveMaximum").asBoolean();
            BigDecimal bound = schema.path("maximum").decimalValue();
            add("maximum", place, number(open ? bound : bound.add(little)));
        }
    }

    /** The schema writes whole bounds as {@code 1.0E7}. */
    private static JsonNode number(BigDecimal value) {
        boolean whole = value.stripTrailingZeros().scale() <= 0;
        return whole ? JSON.numberNode(value.longValueExact()) : JSON.numberNode(value);
    }

    private void add(String bound, Place place, JsonNode value) {
        add(bound, place.path(), place, value);
    }

    private void add(String bound, String field, Place place, JsonNode value) {
        ObjectNode manifest = valid.deepCopy();
        put(manifest, root, place, value);
        found.add(new InvalidJob(place.path() + " breaks: " + bound, field, manifest));
    }

    private void addMissing(Place place) {
        ObjectNode manifest = valid.deepCopy();
        List<String> parents = place.steps().subList(0, place.steps().size() - 1);
        JsonNode parent = put(manifest, root, new Place(parents), JSON.nullNode());
        ((ObjectNode) parent).remove(place.steps().getLast());
        found.add(new InvalidJob(place.path() + " is missing", place.path(), manifest));
    }

    /**
     * Puts a value at a place, with what its parents require beside it; null leaves what is there.
     *
     * @return what is at the place then
     */
    private static JsonNode put(ObjectNode manifest, JsonNode rootSchema, Place place, JsonNode value) {
        JsonNode node = manifest;
        JsonNode schema = rootSchema;
        for (int i = 0; i < place.steps().size(); i++) {
            String step = place.steps().get(i);
            boolean last = i + 1 == place.steps().size() && !value.isNull();
            JsonNode inner = step.equals(Place.ENTRY)
                    ? schema.path("items")
                    : schema.path("properties").path(step);
            JsonNode next = last ? value : existing(node, step, inner);
            set(node, step, next);
            node = next;
            schema = inner;
        }
        return node;
    }

    private static JsonNode existing(JsonNode node, String step, JsonNode schema) {
        JsonNode there = step.equals(Place.ENTRY) ? node.path(0) : node.path(step);
        if (!there.isMissingNode()) {
            return there;
        }
        return schema.path("type").asText().equals("array") ? JSON.arrayNode() : filled(schema);
    }

    private static ObjectNode filled(JsonNode schema) {
        ObjectNode object = JSON.objectNode();
        schema.path("required").forEach(name -> {
            JsonNode field = schema.path("properties").path(name.asText());
            switch (field.path("type").asText()) {
                case "integer" -> object.put(name.asText(), name.asText().startsWith("max") ? 2 : 1);
                default -> object.set(name.asText(), sample(schema, 0).path(name.asText()));
            }
        });
        return object;
    }

    private static void set(JsonNode parent, String step, JsonNode value) {
        if (parent instanceof ArrayNode list) {
            IntStream.range(0, list.size() == 0 ? 1 : 0).forEach(i -> list.addNull());
            list.set(0, value);
        } else {
            ((ObjectNode) parent).set(step, value);
        }
    }
}
