package dev.rlvr.crds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * The part of the Common Expression Language that the CRD's rules are written in: a value of {@code self} and the
 * variables of macros. Values are {@link Long}, {@link Double}, {@link Boolean}, {@link String}, {@link List},
 * {@link ObjectNode}. The full library costs more than a second of start-up, most of it for Protocol Buffers that a
 * manifest does not hold; a test compares the two on every rule.
 */
@FunctionalInterface
interface Cel {
    /** The value in a scope of variables. */
    Object in(Map<String, Object> scope);

    /** Compiles an expression; a construct outside the part is an {@link IllegalArgumentException}. */
    static Cel compile(String expression) {
        return new CelParser(expression).parse();
    }

    /** Whether a rule holds for a value. */
    default boolean holds(JsonNode self) {
        return CelOperator.truth(in(Map.of("self", value(self))));
    }

    /** The text that a message expression gives for a value. */
    default String text(JsonNode self) {
        return in(Map.of("self", value(self))).toString();
    }

    /** An expression's value does not exist: a missing field, a type that an operator does not take. */
    final class EvaluationException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        EvaluationException(String message) {
            super(message);
        }
    }

    /** A tree's value in the expression language. */
    static Object value(JsonNode node) {
        return switch (node) {
            case TextNode text -> text.textValue();
            case ObjectNode object -> object;
            case ArrayNode array ->
                StreamSupport.stream(array.spliterator(), false).map(Cel::value).toList();
            case JsonNode scalar when scalar.isBoolean() -> scalar.booleanValue();
            case JsonNode scalar when scalar.isIntegralNumber() -> scalar.longValue();
            case JsonNode scalar when scalar.isNumber() -> scalar.doubleValue();
            default -> throw new EvaluationException("no value for " + node.getNodeType());
        };
    }
}
