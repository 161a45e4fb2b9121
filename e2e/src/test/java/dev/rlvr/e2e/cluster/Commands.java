package dev.rlvr.e2e.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The commands of whoever brought the cluster up: what an API client cannot do to a machine.
 *
 * @param folder {@code e2e/node} or {@code e2e/kind}: both have {@code component} and {@code inside}
 */
record Commands(Path folder) {
    /** Kills a component of the control plane or the node with SIGKILL. */
    void kill(String component) {
        run(folder.resolve("component").toString(), "kill", component);
    }

    /** Starts a component again that was killed. */
    void start(String component) {
        run(folder.resolve("component").toString(), "start", component);
    }

    /** Runs a shell script as root on the node and returns what it printed. */
    String onNode(String script) {
        return run(folder.resolve("inside").toString(), "sh", "-euc", script);
    }

    /**
     * Runs a command and returns its output.
     *
     * @throws IllegalStateException with the output if the exit code is not 0
     */
    static String run(String... line) {
        List<String> command = new ArrayList<>(List.of(line));
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            try (InputStream in = process.getInputStream()) {
                String output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                int exitCode = process.waitFor();
                if (exitCode != 0) {
                    throw new IllegalStateException(
                            "%s exited with %d: %s".formatted(String.join(" ", command), exitCode, output));
                }
                return output;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + command.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + command.getFirst() + " runs", e);
        }
    }
}
