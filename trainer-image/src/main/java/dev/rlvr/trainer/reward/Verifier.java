package dev.rlvr.trainer.reward;

import dev.rlvr.crds.RewardSpec;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.data.Problem;

/**
 * Compares a response with the reference answer. Implementations are stateless and look at the response through the
 * given {@link CharSequence} only: it is what stops them when their time is over.
 */
public sealed interface Verifier permits Exact, Numeric {
    /**
     * Checks before the first step that a problem's reference answer can be verified at all.
     *
     * @throws InputException naming the problem's line
     */
    void validate(Problem problem);

    /** {@link Verdict#Right} or {@link Verdict#Wrong}. */
    Verdict verify(CharSequence response, String answer);

    /** What the response answers, in a form in which equal answers are equal texts; empty where it has no answer. */
    String answerIn(CharSequence response);

    /**
     * The verifier of a job.
     *
     * @throws InputException if the pattern is not usable, or the verifier is not in this release
     */
    static Verifier of(RewardSpec spec) {
        Extraction extraction = Extraction.of(spec.answerPattern());
        return switch (spec.verifier()) {
            case Numeric -> new Numeric(extraction);
            case Exact -> new Exact(extraction);
            case Math, Regex, Code, Http ->
                throw new InputException(
                        "spec.reward.verifier: " + spec.verifier() + " is not in this release; use Numeric or Exact");
        };
    }
}
