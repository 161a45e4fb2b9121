package dev.rlvr.trainer;

/**
 * What the user gave is wrong: the trainer ends with exit code 2 and prints the message without a stack trace. The
 * message names the field or file, the value and the remedy, in one line.
 */
public final class InputException extends RuntimeException {
    /** A wrong input that no other exception revealed. */
    public InputException(String message) {
        super(message);
    }

    /** A wrong input that another exception revealed. */
    public InputException(String message, Throwable cause) {
        super(message, cause);
    }
}
