package dev.rlvr.cli.console;

import dev.rlvr.crds.RLVRJobStatus;

/** Where a run is shown. */
public sealed interface Screen extends AutoCloseable permits LiveScreen, PlainScreen {
    /** A line that stays. */
    void say(String line);

    /**
     * The newest figures.
     *
     * @param status the whole status
     * @param phase what the trainer is doing; empty where it did not say
     */
    void progress(RLVRJobStatus status, String phase);

    /** Leaves the screen as it is; nothing is shown after it. */
    @Override
    void close();

    /** A bar where standard output is a terminal, else plain lines. */
    static Screen ofSystem() {
        return LiveScreen.ofTerminal().<Screen>map(screen -> screen).orElseGet(() -> new PlainScreen(System.out));
    }
}
