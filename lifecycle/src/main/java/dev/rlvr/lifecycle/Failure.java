package dev.rlvr.lifecycle;

/**
 * Why something failed, and whose restart budget it costs.
 *
 * @param cause whose failure it is
 * @param reason CamelCase, as a condition reason: Crash, BadInput, Evicted, Preempted, NodeLost, OutOfMemory, ImagePull, Stalled ...
 * @param message one sentence for a person; the trainer's last error line where there is one
 */
public record Failure(Cause cause, String reason, String message) {
    /** Reason of a trainer that asks to be tried again: it was stopped, or lost a peer. */
    public static final String TRY_AGAIN = "TryAgain";

    /** Whose failure it is. */
    public enum Cause {
        /** The trainer failed by itself: a bug, a diverged run. */
        User,
        /** The user's input is wrong: exit code 2. Another try would fail the same way, so none is made. */
        BadInput,
        /** The machine failed: eviction, preemption, node loss, image pull, out of memory of the node, exit code 75. */
        Infrastructure
    }

    /**
     * The failure that a trainer's exit code stands for (see {@code docs/trainer.md}): 2 is the user's input, 75 asks to try again, 137
     * and 143 are signals from outside, everything else is a failure of the trainer.
     *
     * @param code non-zero exit code
     * @param message the trainer's last error line
     */
    public static Failure ofExitCode(int code, String message) {
        return switch (code) {
            case 2 -> new Failure(Cause.BadInput, "BadInput", message);
            case 75 -> new Failure(Cause.Infrastructure, TRY_AGAIN, message);
            case 137 -> new Failure(Cause.Infrastructure, "Killed", message);
            case 143 -> new Failure(Cause.Infrastructure, "Terminated", message);
            default -> new Failure(Cause.User, "Crash", message);
        };
    }
}
