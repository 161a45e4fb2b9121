package dev.rlvr.e2e.faults;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Short commands of the operating system. */
final class Commands {
    private Commands() {}

    /**
     * Runs one and returns its output.
     *
     * @throws IOException if it fails
     */
    static String run(List<String> words) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", words) + ": " + said.strip());
        }
        return said;
    }

    static void signal(String name, long pid) throws InterruptedException {
        try {
            run(List.of("kill", "-" + name, Long.toString(pid)));
        } catch (IOException e) {
            // it has ended in the meantime
        }
    }
}
