package dev.rlvr.trainer.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.RewardSpec;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.data.Problem;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VerifierTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "the answer is 42. | 42 | Right",
                "first 41, then 42 | 42 | Right",
                "first 42, then 41 | 42 | Wrong",
                "It costs $1,234.50 in all | 1234.5 | Right",
                "$-5 | -5 | Right",
                "-$5 | -5 | Right",
                "+3 | 3 | Right",
                "-0 | 0 | Right",
                "3.0 | 3 | Right",
                "3.0000000000000000000001 | 3 | Wrong",
                "that is 50% | 50 | Right",
                "that is 50% | 0.5 | Wrong",
                "half: 1/2 | 0.5 | Right",
                "2/4 | 1/2 | Right",
                "1/3 | 0.3333333333333333 | Wrong",
                "1/0 | 0 | Wrong",
                "1.5e3 | 1500 | Right",
                "6.02E23 | 602000000000000000000000 | Right",
                ".5 | 1/2 | Right",
                "x=−7 | -7 | Right",
                "10-3 | 3 | Right",
                "pages 10-12 | 12 | Right",
                "(5)-3 | 3 | Right",
                "x2 | 2 | Right",
                "1,23 | 23 | Right",
                "no number at all | 0 | Wrong",
                "''| 0 | Wrong",
                "1e99999999999 | 1 | Wrong",
            })
    void theLastNumberOfTheResponseIsCompared(String response, String answer, Verdict verdict) {
        assertThat(numeric(null).verify(response, answer)).isEqualTo(verdict);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Split: 4+4=8. Answer: 8 | 8 | Right",
                "Answer: 7. Split: 1+7=8. Answer: 8 | 8 | Right",
                "Answer: -8 | -8 | Right",
                "Answer: 8 and so on 8 | 8 | Wrong",
                "8 | 8 | Wrong",
            })
    void aPatternSaysWhereTheAnswerIs(String response, String answer, Verdict verdict) {
        assertThat(numeric("Answer: (-?\\d+)$").verify(response, answer)).isEqualTo(verdict);
    }

    @Test
    void withoutAGroupTheWholeMatchIsTheAnswer() {
        assertThat(numeric("\\d+ ?%").verify("from 3 % to 1,5%", "5")).isEqualTo(Verdict.Right);
        assertThat(exact("yes|no").verify("first no, then yes it is", "yes")).isEqualTo(Verdict.Right);
    }

    @Test
    void whatThePatternFindsMustBeANumberAsAWhole() {
        assertThat(numeric("boxed\\{([^}]+)\\}").verify("boxed{x = 5}", "5")).isEqualTo(Verdict.Wrong);
        assertThat(numeric("boxed\\{([^}]+)\\}").verify("boxed{ 5 }", "5")).isEqualTo(Verdict.Right);
    }

    @Test
    void exactIgnoresWhiteSpaceAndTheFormOfAccents() {
        assertThat(exact(null).verify("  caf\u00e9 \n\t au\u00a0lait ", "cafe\u0301 au lait"))
                .isEqualTo(Verdict.Right);
        assertThat(exact(null).verify("Cafe", "cafe")).isEqualTo(Verdict.Wrong);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'Answer: (\\d+' | is not a regular expression",
                "'(\\d+)(px)' | more than one group",
                "'(\\d*)$' | matches the empty text"
            })
    void aPatternThatCannotWorkIsTheUsersMistake(String regex, String why) {
        assertThatThrownBy(() -> numeric(regex))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("spec.reward.answerPattern: '" + regex + "'")
                .hasMessageContaining(why)
                .message()
                .hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"four", "", "4 apples", "1/0", "1.2.3"})
    void aReferenceAnswerThatIsNoNumberIsNamedWithItsLine(String answer) {
        assertThatThrownBy(() -> numeric(null).validate(problem(answer)))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("train.jsonl line 3: the answer '" + answer + "'")
                .hasMessageContaining("verifier Exact");
    }

    @Test
    void usableReferenceAnswersPass() {
        assertThatCode(() -> numeric(null).validate(problem("-1,234.5"))).doesNotThrowAnyException();
        assertThatCode(() -> exact(null).validate(problem("four"))).doesNotThrowAnyException();
        assertThatThrownBy(() -> exact(null).validate(problem(" "))).isInstanceOf(InputException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Math", "Regex", "Code", "Http"})
    void aVerifierOfALaterReleaseIsRefused(RewardSpec.Verifier verifier) {
        assertThatThrownBy(() -> Verifier.of(new RewardSpec(verifier, null, "10s", null)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("spec.reward.verifier: " + verifier);
    }

    private static Problem problem(String answer) {
        return new Problem(2, "p", answer, "train.jsonl line 3");
    }

    private static Verifier numeric(@Nullable String pattern) {
        return Verifier.of(new RewardSpec(RewardSpec.Verifier.Numeric, pattern, "10s", null));
    }

    private static Verifier exact(@Nullable String pattern) {
        return Verifier.of(new RewardSpec(RewardSpec.Verifier.Exact, pattern, "10s", null));
    }
}
