package dev.rlvr.trainer.objective;

/** The policy is no longer a distribution: an entropy or a gradient is not a finite number. */
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public DivergedException(String message) {
        super(message);
    }
}
