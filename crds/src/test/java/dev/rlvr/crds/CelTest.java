package dev.rlvr.crds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the CRD's rules rely on; the whole CRD is compared with a real API server in the end-to-end tests. */
class CelTest {
    private static final String VALUE = "{\"a\": 1, \"r\": 2.5, \"s\": \"hello\", \"l\": [1, 2, 3]}";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "self.a == 1.0 && self.a < 1.5 && self.r >= 2",
                "self.l.all(x, x > 0) && self.l.exists(x, x == 2) && !self.l.exists(x, x > 3)",
                "!has(self.none) && has(self.a)",
                "has(self.none) ? self.none > 1 : self.a == 1",
                "self.s.startsWith('he') && self.s.contains('ll') && self.s.matches('^h.*o$') && size(self.s) == 5",
                "self.none == 1 || true",
            })
    void aRuleThatHolds(String rule) throws JsonProcessingException {
        assertThat(Cel.compile(rule).holds(value())).isTrue();
    }

    @Test
    void aMissingFieldHasNoValue() throws JsonProcessingException {
        JsonNode value = value();
        assertThatThrownBy(() -> Cel.compile("self.none == 1").holds(value))
                .isInstanceOf(Cel.EvaluationException.class);
    }

    @Test
    void aMessageCanShowTheValue() throws JsonProcessingException {
        assertThat(Cel.compile("'a is ' + string(self.a)").text(value())).isEqualTo("a is 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"self.a ==", "self.a = 1", "(self", "other.a == 1"})
    void whatIsNotARuleDoesNotCompile(String expression) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cel.compile(expression))
                .withMessageContaining(expression);
    }

    private static JsonNode value() throws JsonProcessingException {
        return new ObjectMapper().readTree(VALUE);
    }
}
