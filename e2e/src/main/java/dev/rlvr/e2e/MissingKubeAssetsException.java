package dev.rlvr.e2e;

/** The binaries of the test API server cannot be had; the message says what is missing and how to get it. */
public final class MissingKubeAssetsException extends RuntimeException {
    MissingKubeAssetsException(String message) {
        super(message);
    }
}
