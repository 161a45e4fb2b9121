package dev.rlvr.e2e.faults;

/** A job did not keep what it promises. */
final class Violation extends Exception {
    private static final long serialVersionUID = 1;

    Violation(String message) {
        super(message);
    }
}
