package dev.rlvr.e2e.operator;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cel.common.CelValidationException;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerBuilder;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.Map;

/** What the {@code healthCheckExprs} of a Flux Kustomization say of a resource. */
enum FluxHealth {
    InProgress,
    Failed,
    Current;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_LONG_FOR_INTS)
            .build();

    /**
     * Asks them in Flux's order: inProgress, failed, current; the first that is true wins, and a field that is not there means waiting on.
     *
     * @param expressions one entry of {@code healthCheckExprs}
     */
    static FluxHealth of(JsonNode expressions, JsonNode resource) throws CelValidationException {
        Map<String, Object> fields = variables(resource);
        for (FluxHealth health : values()) {
            String expression = expressions.path(field(health)).asText();
            if (!expression.isEmpty() && holds(expression, fields)) {
                return health;
            }
        }
        return InProgress;
    }

    private static String field(FluxHealth health) {
        return switch (health) {
            case InProgress -> "inProgress";
            case Failed -> "failed";
            case Current -> "current";
        };
    }

    /** The resource's own fields are the variables. */
    private static Map<String, Object> variables(JsonNode resource) {
        return JSON.convertValue(
                resource, JSON.getTypeFactory().constructMapType(Map.class, String.class, Object.class));
    }

    private static boolean holds(String expression, Map<String, Object> fields) throws CelValidationException {
        CelCompilerBuilder compiler =
                CelCompilerFactory.standardCelCompilerBuilder().setStandardMacros(CelStandardMacro.STANDARD_MACROS);
        for (String name : new String[] {"apiVersion", "kind", "metadata", "spec", "status"}) {
            compiler.addVar(name, SimpleType.DYN);
        }
        CelCompiler built = compiler.build();
        try {
            return (boolean) CelRuntimeFactory.plannerRuntimeBuilder()
                    .build()
                    .createProgram(built.compile(expression).getAst())
                    .eval(fields);
        } catch (CelEvaluationException e) {
            return false;
        }
    }
}
