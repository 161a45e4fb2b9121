package dev.rlvr.trainer.reward;

import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.data.Problem;
import java.util.Optional;

/** Equal as exact numbers. Without a pattern, the last number of the response is the answer. */
record Numeric(Extraction extraction) implements Verifier {
    @Override
    public void validate(Problem problem) {
        if (Rational.parse(problem.answer()).isEmpty()) {
            throw new InputException(problem.origin() + ": the answer '" + problem.answer()
                    + "' is not a number; use verifier Exact or correct the answer");
        }
    }

    @Override
    public Verdict verify(CharSequence response, String answer) {
        Optional<Rational> found = find(response);
        Optional<Rational> wanted = Rational.parse(answer);
        boolean right = found.isPresent() && wanted.isPresent() && found.get().sameAs(wanted.get());
        return right ? Verdict.Right : Verdict.Wrong;
    }

    @Override
    public String answerIn(CharSequence response) {
        return find(response).map(Rational::canonical).orElse("");
    }

    private Optional<Rational> find(CharSequence response) {
        return extraction.pattern().isPresent()
                ? extraction.lastMatch(response).flatMap(Rational::parse)
                : Rational.last(response);
    }
}
