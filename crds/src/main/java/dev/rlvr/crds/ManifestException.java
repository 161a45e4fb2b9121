package dev.rlvr.crds;

import java.util.List;

/** The manifest is wrong, and only its author can put it right: one line per problem with field, value and what is allowed. */
public final class ManifestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final List<String> problems;

    /** Reports every problem at once; the message has one line for each. */
    public ManifestException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    /** Each problem as one line, in the order of the schema. */
    public List<String> problems() {
        return problems;
    }
}
