package dev.rlvr.crds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Checks a tree against the CRD's schema and its rules, and collects every problem as a line.
 */
final class SchemaCheck {
    private final FieldNames names;
    private final List<String> problems = new ArrayList<>();

    SchemaCheck(FieldNames names) {
        this.names = names;
    }

    List<String> problems() {
        return problems;
    }

    /** Checks a value and what is in it; numbers become the schema's kind of number in place. */
    void check(String path, JsonNode value, Schema schema) {
        int before = problems.size();
        if (schema.isIntOrString()) {
            intOrString(path, value, schema);
        } else if (hasType(path, value, schema)) {
            schema.optional("enum").ifPresent(allowed -> enumeration(path, value, schema));
            switch (value) {
                case ObjectNode object -> object(path, object, schema);
                case ArrayNode array -> array(path, array, schema);
                case JsonNode number when number.isNumber() -> range(path, number, schema);
                case JsonNode text when text.isTextual() -> text(path, text.textValue(), schema);
                default -> {
                    // A boolean has no bounds.
                }
            }
        }
        rules(path, value, schema, problems.size() == before);
    }

    private void report(String path, String message) {
        problems.add(path.isEmpty() ? message : path + ": " + message);
    }

    private boolean hasType(String path, JsonNode value, Schema schema) {
        String wanted = switch (schema.type()) {
            case "object" -> value.isObject() ? "" : "an object";
            case "array" -> value.isArray() ? "" : "a list";
            case "string" -> value.isTextual() ? "" : value.isValueNode() ? "a string; put it in quotes" : "a string";
            case "boolean" -> value.isBoolean() ? "" : "true or false";
            case "integer" -> value.isNumber() && isWhole(value) ? "" : "an integer";
            case "number" -> value.isNumber() ? "" : "a number";
            default -> "";
        };
        if (!wanted.isEmpty()) {
            report(path, shown(value) + " is not " + wanted);
        }
        return wanted.isEmpty();
    }

    private static boolean isWhole(JsonNode number) {
        return number.canConvertToLong() && number.doubleValue() == Math.rint(number.doubleValue());
    }

    private void intOrString(String path, JsonNode value, Schema schema) {
        boolean right = value.isTextual() ? matches(value.textValue(), schema) : value.isNumber() && isWhole(value);
        if (!right) {
            report(path, shown(value) + " is not a quantity such as 500m, 2 or 4Gi");
        }
    }

    private void enumeration(String path, JsonNode value, Schema schema) {
        List<String> allowed =
                schema.list("enum").stream().map(JsonNode::asText).toList();
        if (!allowed.contains(value.asText())) {
            report(path, shown(value) + " is not one of " + String.join(", ", allowed));
        }
    }

    private void object(String path, ObjectNode object, Schema schema) {
        for (JsonNode name : schema.list("required")) {
            if (!object.has(name.asText())) {
                String description = schema.property(name.asText()).description();
                report(at(path, name.asText()), "is required" + (description.isEmpty() ? "" : ": " + description));
            }
        }
        object.properties().forEach(field -> {
            String fieldPath = at(path, field.getKey());
            schema.child(field.getKey())
                    .ifPresentOrElse(
                            child -> {
                                normalise(object, field.getKey(), child);
                                check(fieldPath, object.get(field.getKey()), child);
                            },
                            () -> {
                                if (!schema.isOpaque()) {
                                    report(fieldPath, names.unknown(field.getKey(), schema));
                                }
                            });
        });
    }

    /** An integer may be written 1.0 and a real number 1; rules and comparisons see the schema's kind. */
    private static void normalise(ObjectNode parent, String name, Schema schema) {
        JsonNode value = parent.path(name);
        if (!value.isNumber()) {
            return;
        }
        if (schema.type().equals("number")) {
            parent.set(name, DoubleNode.valueOf(value.doubleValue()));
        } else if (isWhole(value)) {
            parent.set(name, LongNode.valueOf(value.longValue()));
        }
    }

    private void array(String path, ArrayNode array, Schema schema) {
        schema.optional("minItems")
                .filter(least -> array.size() < least.intValue())
                .ifPresent(
                        least -> report(path, "has " + array.size() + " entries; at least " + least + " are needed"));
        schema.optional("maxItems")
                .filter(most -> array.size() > most.intValue())
                .ifPresent(most -> report(path, "has " + array.size() + " entries; at most " + most + " are allowed"));
        for (int i = 0; i < array.size(); i++) {
            check(path + "[" + i + "]", array.get(i), schema.items());
        }
        List<String> keys = schema.list("x-kubernetes-list-map-keys").stream()
                .map(JsonNode::asText)
                .toList();
        if (!keys.isEmpty()) {
            uniqueKeys(path, array, keys);
        }
    }

    private void uniqueKeys(String path, ArrayNode array, List<String> keys) {
        Map<String, Integer> first = new HashMap<>();
        for (int i = 0; i < array.size(); i++) {
            JsonNode item = array.get(i);
            if (keys.stream().allMatch(item::has)) {
                String key = keys.stream().map(name -> item.get(name).asText()).collect(Collectors.joining(", "));
                Integer taken = first.putIfAbsent(key, i);
                if (taken != null) {
                    report(
                            path + "[" + i + "]." + String.join(", ", keys),
                            key + " is already taken by " + path + "[" + taken + "]");
                }
            }
        }
    }

    private void range(String path, JsonNode number, Schema schema) {
        double value = number.doubleValue();
        schema.optional("minimum").ifPresent(bound -> {
            boolean open = schema.node().path("exclusiveMinimum").asBoolean();
            if (open && value <= bound.doubleValue()) {
                report(path, shown(number) + " is not above " + shown(bound));
            } else if (value < bound.doubleValue()) {
                report(path, shown(number) + " is below the minimum " + shown(bound));
            }
        });
        schema.optional("maximum").ifPresent(bound -> {
            boolean open = schema.node().path("exclusiveMaximum").asBoolean();
            if (open && value >= bound.doubleValue()) {
                report(path, shown(number) + " is not below " + shown(bound));
            } else if (value > bound.doubleValue()) {
                report(path, shown(number) + " is above the maximum " + shown(bound));
            }
        });
    }

    private void text(String path, String value, Schema schema) {
        int length = value.codePointCount(0, value.length());
        schema.optional("minLength")
                .filter(least -> length < least.intValue())
                .ifPresent(least ->
                        report(path, length == 0 ? "must not be empty" : "is shorter than " + least + " characters"));
        schema.optional("maxLength")
                .filter(most -> length > most.intValue())
                .ifPresent(most -> report(path, "has " + length + " characters; at most " + most + " are allowed"));
        if (!matches(value, schema)) {
            report(
                    path,
                    shown(value) + " does not match "
                            + schema.node().path("pattern").asText());
        }
    }

    private static boolean matches(String value, Schema schema) {
        return schema.optional("pattern")
                .map(pattern -> Pattern.compile(pattern.asText()).matcher(value).find())
                .orElse(true);
    }

    /**
     * Asks the rules of a value. Transition rules compare with an earlier version of the object; a manifest has none.
     *
     * @param sound whether all is right within the value; otherwise a rule may miss what it asks about
     */
    private void rules(String path, JsonNode value, Schema schema, boolean sound) {
        for (JsonNode rule : schema.list("x-kubernetes-validations")) {
            String expression = rule.path("rule").asText();
            if (!expression.contains("oldSelf") && !holds(Cel.compile(expression), value, sound)) {
                report(path, message(rule, value));
            }
        }
    }

    private static boolean holds(Cel rule, JsonNode value, boolean sound) {
        try {
            return rule.holds(value);
        } catch (Cel.EvaluationException e) {
            if (sound) {
                throw e;
            }
            return true;
        }
    }

    private static String message(JsonNode rule, JsonNode value) {
        return rule.has("messageExpression")
                ? Cel.compile(rule.path("messageExpression").asText()).text(value)
                : rule.path("message").asText();
    }

    private static String at(String path, String field) {
        String name = field.matches("[\\w-]+") ? field : "[" + field + "]";
        return path.isEmpty() ? name : name.startsWith("[") ? path + name : path + "." + name;
    }

    private static String shown(JsonNode value) {
        return switch (value) {
            case JsonNode object when object.isObject() -> "an object";
            case JsonNode list when list.isArray() -> "a list";
            case JsonNode number when number.isFloatingPointNumber() -> shown(number.doubleValue());
            default -> shown(value.asText());
        };
    }

    private static String shown(double value) {
        BigDecimal exact = BigDecimal.valueOf(value).stripTrailingZeros();
        int magnitude = exact.precision() - exact.scale();
        return magnitude > 18 || magnitude < -3 ? exact.toString() : exact.toPlainString();
    }

    private static String shown(String text) {
        String line = text.replaceAll("\\R", " ");
        String short60 = line.length() > 60 ? line.substring(0, 57) + "..." : line;
        return short60.isEmpty() || short60.contains(" ") ? "'" + short60 + "'" : short60;
    }
}
