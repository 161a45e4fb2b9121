package dev.rlvr.cli.local;

import java.util.List;

/** A mistake that the user can put right: exit code 2, one line per problem, no stack trace. */
public final class UserException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** One problem that names field or file, value and remedy. */
    public UserException(String problem) {
        super(problem);
    }

    /** Several problems, one line each. */
    public UserException(List<String> problems) {
        super(String.join(System.lineSeparator(), problems));
    }
}
