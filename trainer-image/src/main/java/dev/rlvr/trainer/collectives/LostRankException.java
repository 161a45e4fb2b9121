package dev.rlvr.trainer.collectives;

/** Another rank, or the way to it, is gone or has been silent for too long; this attempt cannot go on. */
public final class LostRankException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LostRankException(String message, Throwable cause) {
        super(message, cause);
    }

    LostRankException(String message) {
        super(message);
    }
}
