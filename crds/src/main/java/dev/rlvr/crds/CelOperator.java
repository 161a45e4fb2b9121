package dev.rlvr.crds;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;

/** What the operators, methods and macros of {@link Cel} compute. */
enum CelOperator {
    EQUAL("=="),
    NOT_EQUAL("!="),
    AT_MOST("<="),
    AT_LEAST(">="),
    LESS("<"),
    MORE(">"),
    IN("in"),
    PLUS("+"),
    MINUS("-"),
    TIMES("*"),
    DIVIDE("/"),
    REMAINDER("%");

    private final String sign;

    CelOperator(String sign) {
        this.sign = sign;
    }

    static CelOperator of(String sign) {
        for (CelOperator operator : values()) {
            if (operator.sign.equals(sign)) {
                return operator;
            }
        }
        throw new IllegalArgumentException("unknown operator " + sign);
    }

    Object apply(Object left, Object right) {
        return switch (this) {
            case EQUAL -> equal(left, right);
            case NOT_EQUAL -> !equal(left, right);
            case AT_MOST -> compare(left, right) <= 0;
            case AT_LEAST -> compare(left, right) >= 0;
            case LESS -> compare(left, right) < 0;
            case MORE -> compare(left, right) > 0;
            case IN -> list(right).stream().anyMatch(element -> equal(left, element));
            case PLUS, MINUS, TIMES, DIVIDE, REMAINDER -> arithmetic(left, right);
        };
    }

    private Object arithmetic(Object left, Object right) {
        if (left instanceof String a && right instanceof String b && this == PLUS) {
            return a + b;
        }
        try {
            if (left instanceof Long a && right instanceof Long b) {
                return switch (this) {
                    case PLUS -> Math.addExact(a, b);
                    case MINUS -> Math.subtractExact(a, b);
                    case TIMES -> Math.multiplyExact(a, b);
                    case DIVIDE -> a / b;
                    case REMAINDER -> a % b;
                    case EQUAL, NOT_EQUAL, AT_MOST, AT_LEAST, LESS, MORE, IN -> throw mismatch(left, right);
                };
            }
        } catch (ArithmeticException e) {
            throw new Cel.EvaluationException(String.valueOf(e.getMessage()));
        }
        if (left instanceof Double a && right instanceof Double b) {
            return switch (this) {
                case PLUS -> a + b;
                case MINUS -> a - b;
                case TIMES -> a * b;
                case DIVIDE -> a / b;
                case REMAINDER, EQUAL, NOT_EQUAL, AT_MOST, AT_LEAST, LESS, MORE, IN -> throw mismatch(left, right);
            };
        }
        throw mismatch(left, right);
    }

    private static boolean equal(Object left, Object right) {
        if (left instanceof Number a && right instanceof Number b) {
            return compare(a, b) == 0;
        }
        return Objects.equals(left, right);
    }

    private static int compare(Object left, Object right) {
        return switch (left) {
            case Long a when right instanceof Long b -> Long.compare(a, b);
            case Number a when right instanceof Number b -> Double.compare(a.doubleValue(), b.doubleValue());
            case String a when right instanceof String b -> a.compareTo(b);
            default -> throw new Cel.EvaluationException("cannot compare " + left + " with " + right);
        };
    }

    private Cel.EvaluationException mismatch(Object left, Object right) {
        return new Cel.EvaluationException(left + " " + sign + " " + right + " has no value");
    }

    static boolean truth(Object value) {
        if (value instanceof Boolean truth) {
            return truth;
        }
        throw new Cel.EvaluationException(value + " is not a truth value");
    }

    /** {@code ||} (decided by true) and {@code &&} (by false): either side may decide, even where the other has no value. */
    static Cel decidedBy(boolean deciding, Cel left, Cel right) {
        return scope -> {
            boolean first;
            try {
                first = truth(left.in(scope));
            } catch (Cel.EvaluationException e) {
                if (truth(right.in(scope)) == deciding) {
                    return deciding;
                }
                throw e;
            }
            return first == deciding ? deciding : truth(right.in(scope));
        };
    }

    static Object variable(Map<String, Object> scope, String name) {
        Object value = scope.get(name);
        if (value == null) {
            throw new Cel.EvaluationException("no variable " + name);
        }
        return value;
    }

    static Cel field(Cel target, String name) {
        return scope -> {
            if (target.in(scope) instanceof ObjectNode object && object.has(name)) {
                return Cel.value(object.path(name));
            }
            throw new Cel.EvaluationException("no field " + name);
        };
    }

    /** Whether the field that {@code selection} ends in is there; what it is a field of must be. */
    static Cel has(Cel selection, String name) {
        return scope -> {
            try {
                selection.in(scope);
                return true;
            } catch (Cel.EvaluationException e) {
                if (("no field " + name).equals(e.getMessage())) {
                    return false;
                }
                throw e;
            }
        };
    }

    static List<?> list(Object value) {
        return switch (value) {
            case List<?> list -> list;
            case ObjectNode object ->
                object.properties().stream().map(Map.Entry::getKey).toList();
            default -> throw new Cel.EvaluationException(value + " is not a list");
        };
    }

    static Object element(Object container, Object key) {
        if (container instanceof List<?> list && key instanceof Long index && index >= 0 && index < list.size()) {
            return list.get(index.intValue());
        }
        if (container instanceof ObjectNode object && key instanceof String name && object.has(name)) {
            return Cel.value(object.path(name));
        }
        throw new Cel.EvaluationException("no element " + key);
    }

    static Object method(String name, Object target, List<Object> arguments) {
        if (name.equals("size") && arguments.isEmpty()) {
            return target instanceof String text
                    ? (long) text.codePointCount(0, text.length())
                    : (long) list(target).size();
        }
        if (target instanceof String text && arguments.size() == 1 && arguments.getFirst() instanceof String argument) {
            return switch (name) {
                case "contains" -> text.contains(argument);
                case "startsWith" -> text.startsWith(argument);
                case "endsWith" -> text.endsWith(argument);
                case "matches" -> Pattern.compile(argument).matcher(text).find();
                default -> throw new Cel.EvaluationException("no method " + name);
            };
        }
        throw new Cel.EvaluationException("no method " + name + " of " + target);
    }

    static Object macro(String name, List<?> elements, Function<Object, Object> body) {
        return switch (name) {
            case "all" -> elements.stream().allMatch(element -> truth(body.apply(element)));
            case "exists" -> elements.stream().anyMatch(element -> truth(body.apply(element)));
            case "exists_one" ->
                elements.stream().filter(element -> truth(body.apply(element))).count() == 1;
            case "filter" ->
                elements.stream().filter(element -> truth(body.apply(element))).toList();
            case "map" -> elements.stream().map(body).toList();
            default -> throw new Cel.EvaluationException("no macro " + name);
        };
    }
}
