package dev.rlvr.trainer.launch;

/**
 * How a rank, the ranks of a pod, or all of them ended.
 *
 * @param message one line for people; names the rank or replica
 */
public record Verdict(Kind kind, String message) {
    /** All is done. */
    static final Verdict DONE = new Verdict(Kind.Done, "done");

    /** Whose fault it was. */
    public enum Kind {
        /** Nobody's: all steps are done. */
        Done(0, 0),
        /** Another rank's: what follows from a failure and explains nothing. */
        LostPeer(75, 1),
        /** Nobody's: the state was saved on request. */
        Stopped(75, 2),
        /** The machine's. */
        TryAgain(75, 3),
        /** The trainer's. */
        Failed(1, 4),
        /** The user's. */
        WrongInput(2, 5);

        private final int exitCode;
        private final int gravity;

        Kind(int exitCode, int gravity) {
            this.exitCode = exitCode;
            this.gravity = gravity;
        }
    }

    /** How the words of a rank begin that ended because another one did: {@code lost rank 3: ...}. */
    public static final String LOST_RANK = "lost rank";

    public Verdict {
        message = String.join("; ", message.lines().map(String::strip).toList());
    }

    /** As in {@code docs/trainer.md}. */
    public int exitCode() {
        return kind.exitCode;
    }

    static Verdict tryAgain(String message) {
        return new Verdict(Kind.TryAgain, message);
    }

    /** The one that explains more; of two alike the one that was known first, this one. */
    Verdict or(Verdict later) {
        return later.kind.gravity > kind.gravity ? later : this;
    }

    /**
     * What the end of a rank's process means that nobody asked to stop.
     *
     * @param exitValue as the operating system has it: 128 and the signal's number for a signal
     * @param words its termination message; empty where it left none
     */
    static Verdict ofRank(int rank, int exitValue, String words) {
        String said = "rank %d: %s".formatted(rank, words.isBlank() ? "exit code " + exitValue : words);
        return switch (exitValue) {
            case 0 -> DONE;
            case 1 -> new Verdict(Kind.Failed, said);
            case 2 -> new Verdict(Kind.WrongInput, said);
            case 75 -> new Verdict(words.startsWith(LOST_RANK) ? Kind.LostPeer : Kind.TryAgain, said);
            case 137 -> tryAgain("rank %d was killed by signal 9; out of memory?".formatted(rank));
            default ->
                tryAgain(
                        exitValue > 128
                                ? "rank %d was ended by signal %d".formatted(rank, exitValue - 128)
                                : "rank %d ended with exit code %d".formatted(rank, exitValue));
        };
    }
}
