package dev.rlvr.crds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Our part of the expression language says what the whole of it says. */
class CelTest {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_LONG_FOR_INTS)
            .build();
    /** Kubernetes compares integers with real numbers too. */
    private static final CelOptions OPTIONS =
            CelOptions.current().enableHeterogeneousNumericComparisons(true).build();

    private static final CelCompiler COMPILER = CelCompilerFactory.standardCelCompilerBuilder()
            .setOptions(OPTIONS)
            .addVar("self", SimpleType.DYN)
            .addVar("oldSelf", SimpleType.DYN)
            .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
            .build();
    private static final CelRuntime RUNTIME =
            CelRuntimeFactory.plannerRuntimeBuilder().setOptions(OPTIONS).build();
    private static final String NO_VALUE = "no value";

    /** A rule or message of the CRD with the schema of what it is asked of. */
    record Expression(String text, Schema schema) {
        @Override
        public String toString() {
            return text;
        }
    }

    static Stream<Expression> expressionsOfTheCrd() {
        List<Expression> found = new ArrayList<>();
        collect(Schema.ofResource(), found);
        assertThat(found).hasSizeGreaterThan(30);
        return found.stream();
    }

    private static void collect(Schema schema, List<Expression> found) {
        for (JsonNode rule : schema.list("x-kubernetes-validations")) {
            found.add(new Expression(rule.path("rule").asText(), schema));
            if (rule.has("messageExpression")) {
                found.add(new Expression(rule.path("messageExpression").asText(), schema));
            }
        }
        schema.properties().forEach(property -> collect(new Schema(property.getValue()), found));
        if (schema.node().has("items")) {
            collect(schema.items(), found);
        }
    }

    @ParameterizedTest
    @MethodSource("expressionsOfTheCrd")
    void everyRuleOfTheCrdHasTheValueThatTheWholeLanguageGivesIt(Expression expression) throws Exception {
        Cel ours = Cel.compile(expression.text());
        CelRuntime.Program theirs = program(expression.text());
        Random random = new Random(expression.text().hashCode());
        for (int i = 0; i < 100; i++) {
            Map<String, Object> scope = Map.of(
                    "self", Cel.value(some(expression.schema(), random)),
                    "oldSelf", Cel.value(some(expression.schema(), random)));

            assertThat(ours(ours, scope)).as("%s", scope).isEqualTo(theirs(theirs, scope));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1 + 2 * 3 - 8 / 3 % 2 == 5 && -3 / 2 == -1 && -3 % 2 == -1",
                "'a' + \"b\" == 'ab' && 'ab' < 'b' && 'a\\'b'.size() == 3",
                "self.a == 1.0 && self.a < 1.5 && self.r >= 2",
                "self.l[1] == 2 && self.l.size() == 3 && 3 in self.l && !(4 in self.l)",
                "'b' in self.m && self.m['b'] == 2 && size(self.m) == 2",
                "self.l.all(x, x > 0) && self.l.exists(x, x == 2) && self.l.exists_one(x, x > 2)",
                "self.l.filter(x, x > 1).map(x, x * 2) == [4, 6]",
                "has(self.none) ? self.none > 1 : self.a == 1",
                "self.none == 1 || true",
                "false && self.none == 1",
                "self.none == 1 || false",
                "self.s.startsWith('he') && self.s.endsWith('lo') && self.s.contains('ll') && self.s.matches('^h.*o$')",
                "9223372036854775807 + 1 > 0",
                "1 / 0 == 0 || true",
                "self.l.map(x, self.m.all(k, k != 'c'))[0]",
                "true ? false : self.none",
                "self.a + self.r == 3.0",
            })
    void anExpressionHasTheValueThatTheWholeLanguageGivesIt(String expression) throws Exception {
        JsonNode self = JSON.readTree(
                "{\"a\": 1, \"r\": 2.5, \"s\": \"hello\", \"l\": [1, 2, 3], \"m\": {\"a\": 1, \"b\": 2}}");
        Map<String, Object> scope = Map.of("self", Cel.value(self));

        assertThat(ours(Cel.compile(expression), scope)).isEqualTo(theirs(program(expression), scope));
    }

    @ParameterizedTest
    @ValueSource(strings = {"self.a ==", "self.a = 1", "duration('1s') > 0", "(self", "self.a b", "has(self.a", "#"})
    void whatIsNotPartOfTheLanguageDoesNotCompile(String expression) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cel.compile(expression))
                .withMessageContaining(expression);
    }

    private static CelRuntime.Program program(String expression) throws CelValidationException, CelEvaluationException {
        return RUNTIME.createProgram(COMPILER.compile(expression).getAst());
    }

    private static Object ours(Cel expression, Map<String, Object> scope) {
        try {
            return expression.in(scope);
        } catch (Cel.EvaluationException e) {
            return NO_VALUE;
        }
    }

    private static Object theirs(CelRuntime.Program program, Map<String, Object> scope) {
        Map<String, Object> plain = scope.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> plain(entry.getValue())));
        try {
            return program.eval(plain);
        } catch (CelEvaluationException e) {
            return NO_VALUE;
        }
    }

    private static Object plain(Object value) {
        try {
            return value instanceof ObjectNode object ? JSON.treeToValue(object, Map.class) : value;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A value in the form of a schema, near its bounds, with some fields left out. */
    private static JsonNode some(Schema schema, Random random) {
        JsonNodeFactory of = JsonNodeFactory.instance;
        List<JsonNode> choices = schema.list("enum");
        if (!choices.isEmpty()) {
            return choices.get(random.nextInt(choices.size()));
        }
        return switch (schema.type()) {
            case "object" -> {
                ObjectNode object = of.objectNode();
                schema.properties().forEach(property -> {
                    if (random.nextInt(4) > 0) {
                        object.set(property.getKey(), some(new Schema(property.getValue()), random));
                    }
                });
                yield object;
            }
            case "array" -> of.arrayNode().add(some(schema.items(), random)).add(some(schema.items(), random));
            case "boolean" -> of.booleanNode(random.nextBoolean());
            case "integer" -> of.numberNode((long) random.nextInt(4));
            case "number" -> of.numberNode(random.nextInt(4) / 2.0);
            default ->
                of.textNode(List.of(
                                "",
                                "90s",
                                "0s",
                                "1h30m",
                                "10Gi",
                                "hf://a/b",
                                "pvc://a/../b",
                                "file:///a",
                                "{prompt}",
                                "a",
                                "é")
                        .get(random.nextInt(11)));
        };
    }
}
