package dev.rlvr.crds;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Recursive descent over the grammar of cel-spec, one method for each of its levels; the result is a tree of closures. */
final class CelParser {
    private static final Pattern TOKEN = Pattern.compile(
            "\\s*(?:(?<real>\\d+\\.\\d+(?:[eE][-+]?\\d+)?)|(?<integer>\\d+)|'(?<single>(?:[^'\\\\]|\\\\.)*)'"
                    + "|\"(?<quoted>(?:[^\"\\\\]|\\\\.)*)\"|(?<word>[A-Za-z_]\\w*)"
                    + "|(?<sign>&&|\\|\\||==|!=|<=|>=|[-+*/%<>!?:.,()\\[\\]]))");

    private final String expression;
    private final List<Token> tokens = new ArrayList<>();
    private int next;

    CelParser(String expression) {
        this.expression = expression;
        Matcher matcher = TOKEN.matcher(expression.strip());
        int end = 0;
        while (matcher.lookingAt()) {
            tokens.add(Token.of(matcher));
            end = matcher.end();
            matcher.region(end, matcher.regionEnd());
        }
        if (end != expression.strip().length()) {
            throw new IllegalArgumentException("unexpected text at " + end + " in: " + expression);
        }
    }

    Cel parse() {
        Cel whole = conditional();
        if (next < tokens.size()) {
            throw unexpected();
        }
        return whole;
    }

    private Cel conditional() {
        Cel condition = disjunction();
        if (!take("?")) {
            return condition;
        }
        Cel yes = disjunction();
        expect(":");
        Cel no = conditional();
        return scope -> (CelOperator.truth(condition.in(scope)) ? yes : no).in(scope);
    }

    private Cel disjunction() {
        Cel left = conjunction();
        while (take("||")) {
            left = CelOperator.decidedBy(true, left, conjunction());
        }
        return left;
    }

    private Cel conjunction() {
        Cel left = relation();
        while (take("&&")) {
            left = CelOperator.decidedBy(false, left, relation());
        }
        return left;
    }

    private Cel relation() {
        return binary(this::sum, "==", "!=", "<=", ">=", "<", ">", "in");
    }

    private Cel sum() {
        return binary(this::product, "+", "-");
    }

    private Cel product() {
        return binary(this::unary, "*", "/", "%");
    }

    private Cel binary(java.util.function.Supplier<Cel> operand, String... signs) {
        Cel left = operand.get();
        while (true) {
            String sign = takeAny(signs);
            if (sign.isEmpty()) {
                return left;
            }
            Cel first = left;
            Cel second = operand.get();
            CelOperator operator = CelOperator.of(sign);
            left = scope -> operator.apply(first.in(scope), second.in(scope));
        }
    }

    private Cel unary() {
        if (take("!")) {
            Cel operand = unary();
            return scope -> !CelOperator.truth(operand.in(scope));
        }
        if (take("-")) {
            Cel operand = unary();
            return scope -> CelOperator.MINUS.apply(0L, operand.in(scope));
        }
        return member();
    }

    private Cel member() {
        Cel value = primary();
        while (true) {
            if (take(".")) {
                String name = word();
                value = take("(") ? call(value, name) : CelOperator.field(value, name);
            } else if (take("[")) {
                Cel list = value;
                Cel index = conditional();
                expect("]");
                value = scope -> CelOperator.element(list.in(scope), index.in(scope));
            } else {
                return value;
            }
        }
    }

    /** A method or a macro; the opening parenthesis is read. */
    private Cel call(Cel target, String name) {
        if (List.of("all", "exists", "exists_one", "filter", "map").contains(name)) {
            String variable = word();
            expect(",");
            Cel body = conditional();
            expect(")");
            return scope -> CelOperator.macro(name, CelOperator.list(target.in(scope)), element -> {
                Map<String, Object> inner = new HashMap<>(scope);
                inner.put(variable, element);
                return body.in(inner);
            });
        }
        List<Cel> arguments = list(")");
        return scope -> CelOperator.method(
                name,
                target.in(scope),
                arguments.stream().map(argument -> argument.in(scope)).toList());
    }

    private Cel primary() {
        if (take("(")) {
            Cel inner = conditional();
            expect(")");
            return inner;
        }
        if (take("[")) {
            List<Cel> elements = list("]");
            return scope -> elements.stream().map(element -> element.in(scope)).toList();
        }
        if (next >= tokens.size()) {
            throw unexpected();
        }
        return switch (tokens.get(next++)) {
            case Token.Constant(Object value) -> scope -> value;
            case Token.Word(String name) when name.equals("true") -> scope -> true;
            case Token.Word(String name) when name.equals("false") -> scope -> false;
            case Token.Word(String name) when take("(") -> function(name);
            case Token.Word(String name) -> scope -> CelOperator.variable(scope, name);
            case Token.Sign _ -> {
                next--;
                throw unexpected();
            }
        };
    }

    /** {@code has(a.b)} or {@code size(a)}; the opening parenthesis is read. */
    private Cel function(String name) {
        Cel argument = conditional();
        expect(")");
        return switch (name) {
            case "has" -> CelOperator.has(argument, ((Token.Word) tokens.get(next - 2)).text());
            case "size" -> scope -> CelOperator.method("size", argument.in(scope), List.of());
            default -> throw new IllegalArgumentException("unknown function " + name + " in: " + expression);
        };
    }

    private List<Cel> list(String end) {
        List<Cel> elements = new ArrayList<>();
        if (take(end)) {
            return elements;
        }
        do {
            elements.add(conditional());
        } while (take(","));
        expect(end);
        return elements;
    }

    private boolean take(String sign) {
        return !takeAny(sign).isEmpty();
    }

    private String takeAny(String... signs) {
        if (next < tokens.size()) {
            String text = tokens.get(next).text();
            for (String sign : signs) {
                if (text.equals(sign) && !(tokens.get(next) instanceof Token.Constant)) {
                    next++;
                    return sign;
                }
            }
        }
        return "";
    }

    private String word() {
        if (next < tokens.size() && tokens.get(next) instanceof Token.Word(String text)) {
            next++;
            return text;
        }
        throw unexpected();
    }

    private void expect(String sign) {
        if (!take(sign)) {
            throw unexpected();
        }
    }

    private IllegalArgumentException unexpected() {
        String found = next < tokens.size() ? tokens.get(next).text() : "the end";
        return new IllegalArgumentException("unexpected " + found + " in: " + expression);
    }

    private sealed interface Token {
        String text();

        static Token of(Matcher matcher) {
            if (matcher.group("word") != null) {
                return new Word(matcher.group("word"));
            }
            if (matcher.group("sign") != null) {
                return new Sign(matcher.group("sign"));
            }
            if (matcher.group("real") != null) {
                return new Constant(Double.valueOf(matcher.group("real")));
            }
            if (matcher.group("integer") != null) {
                return new Constant(Long.valueOf(matcher.group("integer")));
            }
            String quoted = matcher.group("single") != null ? matcher.group("single") : matcher.group("quoted");
            return new Constant(quoted.translateEscapes());
        }

        record Word(String text) implements Token {}

        record Sign(String text) implements Token {}

        record Constant(Object value) implements Token {
            @Override
            public String text() {
                return value.toString();
            }
        }
    }
}
