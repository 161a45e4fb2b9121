package dev.rlvr.trainer;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says why a process ends: on standard error and, in one piece, where Kubernetes looks for it.
 *
 * @param environment names the file in {@code RLVR_TERMINATION_LOG}, if there is one
 */
public record LastWords(Map<String, String> environment, PrintStream errors) {
    /** Exit code: it failed. */
    public static final int FAILED = 1;

    /** Exit code: the user's input is wrong. */
    public static final int WRONG_INPUT = 2;

    /** Exit code: try again. */
    public static final int TRY_AGAIN = 75;

    private static final Logger LOG = LoggerFactory.getLogger(LastWords.class);

    /** Says it; returns the exit code. */
    public int end(int code, String message) {
        message.lines().forEach(line -> errors.println("rlvr: " + line));
        String log = environment.get("RLVR_TERMINATION_LOG");
        if (log != null) {
            try {
                Files.writeString(Path.of(log), message);
            } catch (IOException e) {
                LOG.warn("cannot write the termination message to {}", log, e);
            }
        }
        return code;
    }
}
