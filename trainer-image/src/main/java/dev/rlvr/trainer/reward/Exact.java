package dev.rlvr.trainer.reward;

import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.data.Problem;
import java.text.Normalizer;
import java.util.Optional;
import java.util.regex.Pattern;

/** Equal as text, after Unicode composition (NFC) and with runs of white space as one space. */
record Exact(Extraction extraction) implements Verifier {
    private static final Pattern WHITE_SPACE = Pattern.compile("\\p{IsWhite_Space}+");

    @Override
    public void validate(Problem problem) {
        if (normal(problem.answer()).isEmpty()) {
            throw new InputException(problem.origin() + ": the answer is blank; verifier Exact needs a text");
        }
    }

    @Override
    public Verdict verify(CharSequence response, String answer) {
        return find(response).filter(text -> text.equals(normal(answer))).isPresent() ? Verdict.Right : Verdict.Wrong;
    }

    @Override
    public String answerIn(CharSequence response) {
        return find(response).orElse("");
    }

    private Optional<String> find(CharSequence response) {
        return extraction.pattern().isPresent()
                ? extraction.lastMatch(response).map(Exact::normal)
                : Optional.of(normal(response));
    }

    private static String normal(CharSequence text) {
        String spaced = WHITE_SPACE.matcher(text).replaceAll(" ");
        return Normalizer.normalize(spaced, Normalizer.Form.NFC).strip();
    }
}
