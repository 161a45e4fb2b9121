package dev.rlvr.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Looks up fields by dotted names. */
final class Fields {
    /** Above this many digits a number stays in exponent form. */
    private static final int PLAIN_DIGITS = 100;

    private Fields() {}

    /** The value of a field; a key that holds the dots itself wins over a nested object. */
    static Optional<JsonNode> find(JsonNode object, String name) {
        if (object.has(name)) {
            return Optional.of(object.get(name));
        }
        for (int dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
            JsonNode head = object.path(name.substring(0, dot));
            Optional<JsonNode> found = head.isObject() ? find(head, name.substring(dot + 1)) : Optional.empty();
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /** The names that {@link #find} knows, as a list for a message. */
    static String names(JsonNode object) {
        List<String> names = new ArrayList<>();
        collect(object, "", names);
        return names.isEmpty() ? "none" : String.join(", ", names);
    }

    private static void collect(JsonNode object, String prefix, List<String> names) {
        object.properties().forEach(field -> {
            if (field.getValue().isObject()) {
                collect(field.getValue(), prefix + field.getKey() + ".", names);
            } else {
                names.add(prefix + field.getKey());
            }
        });
    }

    /** A number as text: integral ones without a fraction, others with the digits they were written with. */
    static String number(JsonNode value) {
        if (value.isFloatingPointNumber() && !Double.isFinite(value.doubleValue())) {
            return value.asText();
        }
        BigDecimal decimal = value.decimalValue();
        BigDecimal bare = decimal.stripTrailingZeros();
        boolean integral = bare.scale() <= 0 && bare.precision() - bare.scale() <= PLAIN_DIGITS;
        return integral ? bare.toBigInteger().toString() : value.asText();
    }

    /** What a value is, for a message. */
    static String kind(JsonNode value) {
        String type = value.getNodeType().name().toLowerCase(Locale.ROOT);
        return value.isObject() || value.isArray() ? "an " + type : value.isMissingNode() ? "missing" : "a " + type;
    }
}
