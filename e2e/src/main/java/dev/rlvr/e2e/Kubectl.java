package dev.rlvr.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The kubectl of the tested release against a test API server. */
public record Kubectl(Path command, Path kubeconfig) {
    /**
     * What a call said.
     *
     * @param exitCode 0 if it succeeded
     * @param output standard output and standard error together
     */
    public record Result(int exitCode, String output) {}

    /** Runs kubectl and returns its exit code and output, whatever they are. */
    public Result call(String... arguments) {
        List<String> line = new ArrayList<>(List.of(command.toString(), "--kubeconfig", kubeconfig.toString()));
        line.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
            process.getOutputStream().close();
            try (InputStream in = process.getInputStream()) {
                String output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                return new Result(process.waitFor(), output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + command, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while kubectl runs", e);
        }
    }

    /**
     * Runs kubectl and returns its output.
     *
     * @throws IllegalStateException with the output if the exit code is not 0
     */
    public String run(String... arguments) {
        Result result = call(arguments);
        if (result.exitCode() != 0) {
            throw new IllegalStateException("kubectl " + String.join(" ", arguments) + " exited with "
                    + result.exitCode() + ": " + result.output());
        }
        return result.output();
    }
}
