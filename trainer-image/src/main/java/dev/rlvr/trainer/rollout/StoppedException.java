package dev.rlvr.trainer.rollout;

/** Sampling was left because the process was asked to stop. */
public final class StoppedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public StoppedException() {
        super("stopped on request");
    }
}
