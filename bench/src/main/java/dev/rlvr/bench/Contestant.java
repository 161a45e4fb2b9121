package dev.rlvr.bench;

import java.io.IOException;

/** One side of a benchmark, which does the same piece of work in each round. */
sealed interface Contestant permits ChildSide, WatchedRuns {
    /** For people: {@code ours}, {@code torch.compile}. */
    String name();

    /**
     * Gets ready for the first round.
     *
     * @throws UnavailableException if this side cannot do this work at all
     */
    void start() throws IOException;

    /** Does the work once. */
    Round round() throws IOException;

    /** Ends it; the other rounds' results stay. */
    void close();

    /** This side does not have what the benchmark measures. */
    final class UnavailableException extends IOException {
        private static final long serialVersionUID = 1;

        UnavailableException(String why) {
            super(why);
        }
    }
}
