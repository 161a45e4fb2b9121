package dev.rlvr.crds;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cel.common.CelOptions;
import dev.cel.common.CelValidationException;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.Map;

/** A rule of the CRD in the Common Expression Language (https://cel.dev), evaluated as the API server does. */
final class Cel {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_LONG_FOR_INTS)
            .build();

    /** Kubernetes compares integers with real numbers too. */
    private static final CelOptions OPTIONS =
            CelOptions.current().enableHeterogeneousNumericComparisons(true).build();

    private static final CelCompiler COMPILER = CelCompilerFactory.standardCelCompilerBuilder()
            .setOptions(OPTIONS)
            .addVar("self", SimpleType.DYN)
            .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
            .build();
    private static final CelRuntime RUNTIME =
            CelRuntimeFactory.plannerRuntimeBuilder().setOptions(OPTIONS).build();

    private final CelRuntime.Program program;

    private Cel(CelRuntime.Program program) {
        this.program = program;
    }

    /** Compiles an expression over {@code self}; a wrong one is an {@link IllegalArgumentException}. */
    static Cel compile(String expression) {
        try {
            return new Cel(RUNTIME.createProgram(COMPILER.compile(expression).getAst()));
        } catch (CelValidationException | CelEvaluationException e) {
            throw new IllegalArgumentException(expression + ": " + e.getMessage(), e);
        }
    }

    /** Whether a rule holds for a value. */
    boolean holds(JsonNode self) {
        return (boolean) evaluate(self);
    }

    /** The text that a message expression gives for a value. */
    String text(JsonNode self) {
        return (String) evaluate(self);
    }

    private Object evaluate(JsonNode self) {
        try {
            return program.eval(Map.of("self", JSON.treeToValue(self, Object.class)));
        } catch (CelEvaluationException e) {
            throw new EvaluationException(e);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** An expression's value does not exist: a missing field, a type that an operator does not take. */
    static final class EvaluationException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        EvaluationException(CelEvaluationException cause) {
            super(cause.getMessage(), cause);
        }
    }
}
