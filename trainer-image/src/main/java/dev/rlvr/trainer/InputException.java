package dev.rlvr.trainer;

/** The user's input is wrong: exit code 2. The message is one line that names field, value and remedy. */
public final class InputException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public InputException(String message) {
        super(message);
    }
}
