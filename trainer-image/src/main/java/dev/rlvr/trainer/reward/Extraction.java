package dev.rlvr.trainer.reward;

import dev.rlvr.trainer.InputException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/** The part of a response that {@code spec.reward.answerPattern} points at, if there is a pattern. */
record Extraction(Optional<Pattern> pattern) {
    private static final String FIELD = "spec.reward.answerPattern: ";

    static Extraction of(@Nullable String regex) {
        return new Extraction(Optional.ofNullable(regex).map(Extraction::compile));
    }

    private static Pattern compile(String regex) {
        Pattern pattern;
        try {
            pattern = Pattern.compile(regex);
        } catch (PatternSyntaxException e) {
            throw new InputException(
                    FIELD + "'" + regex + "' is not a regular expression: " + e.getDescription() + " at "
                            + e.getIndex(),
                    e);
        }
        if (pattern.matcher("").groupCount() > 1) {
            throw new InputException(
                    FIELD + "'" + regex + "' has more than one group; write (?:...) for those that are not the answer");
        }
        if (pattern.matcher("").find()) {
            throw new InputException(
                    FIELD + "'" + regex + "' matches the empty text, so it would find nothing; write + instead of *");
        }
        return pattern;
    }

    /** The first group of the last match, or the whole match of a pattern without a group. */
    Optional<String> lastMatch(CharSequence response) {
        Matcher matcher = pattern.orElseThrow().matcher(response);
        int group = Math.min(1, matcher.groupCount());
        Optional<String> last = Optional.empty();
        while (matcher.find()) {
            last = Optional.ofNullable(matcher.group(group));
        }
        return last;
    }
}
