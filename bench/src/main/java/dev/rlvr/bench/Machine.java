package dev.rlvr.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where and with what it was measured: results of another machine are compared by their ratios only. */
record Machine(
        String processor,
        int cores,
        double memoryBytes,
        String system,
        String java,
        String commit,
        List<String> peers) {
    static Machine here(Sides sides) throws IOException {
        return new Machine(
                field("/proc/cpuinfo", "model name"),
                Runtime.getRuntime().availableProcessors(),
                Double.parseDouble(field("/proc/meminfo", "MemTotal").replaceAll("[^0-9]", "")) * 1024,
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                Runtime.version().toString(),
                commit(sides.checkout()),
                versions(sides));
    }

    private static String field(String file, String name) throws IOException {
        return Files.readAllLines(Path.of(file)).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }

    private static String commit(Path checkout) throws IOException {
        String described = said("git", "-C", checkout.toString(), "describe", "--always", "--dirty");
        return described.isEmpty() ? "unknown" : described;
    }

    private static List<String> versions(Sides sides) throws IOException {
        return Files.exists(sides.python())
                ? said(sides.python().toString(), "-m", "pip", "freeze", "--disable-pip-version-check")
                        .lines()
                        .filter(line -> line.matches("(torch|transformers|trl|accelerate|numpy)==.*"))
                        .toList()
                : List.of();
    }

    private static String said(String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (InputStream out = process.getInputStream()) {
            return new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }
}
