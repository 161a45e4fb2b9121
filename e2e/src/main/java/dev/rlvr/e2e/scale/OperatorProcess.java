package dev.rlvr.e2e.scale;

import dev.rlvr.e2e.ApiServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The packaged operator as a process of its own.
 *
 * @param process what runs
 * @param port where it answers
 * @param client asks it
 */
record OperatorProcess(Process process, int port, HttpClient client) implements AutoCloseable {
    private static final String RECONCILE = "reconciliations_execution_duration_seconds";

    /**
     * Starts it with the options of its image, as in a container with the chart's limit of memory.
     *
     * @param options file with the options of its image
     * @param application its build, the folder {@code quarkus-app}
     * @param token of its service account
     * @param log what it writes is appended here
     * @param more options of the JVM
     */
    static OperatorProcess start(
            Path options, Path application, ApiServer api, String token, Path log, List<String> more)
            throws IOException {
        Path kubeconfig = Files.writeString(log.resolveSibling("operator.kubeconfig"), api.kubeconfig(token));
        int port = freePort();
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "@" + options,
                        "-XX:MaxRAM=512m")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.command().addAll(more);
        builder.command()
                .addAll(List.of("-jar", application.resolve("quarkus-run.jar").toString()));
        builder.environment().put("KUBECONFIG", kubeconfig.toString());
        builder.environment().put("RLVR_PORT", Integer.toString(port));
        builder.environment().put("RLVR_HOST", "127.0.0.1");
        builder.environment().put("RLVR_JSON_LOGS", "true");
        builder.environment().put("MALLOC_ARENA_MAX", "2");
        return new OperatorProcess(builder.start(), port, HttpClient.newHttpClient());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** How long reconciles took, all since its start. */
    Histogram reconciles() {
        return Histogram.of(get("/q/metrics").body(), RECONCILE, "");
    }

    /** How many reconciles have ended. */
    double reconciled() {
        return reconciles().count();
    }

    /** Whether its caches are filled. */
    boolean isReady() {
        try {
            return get("/q/health/ready").statusCode() == 200;
        } catch (IllegalStateException notYet) {
            return false;
        }
    }

    private HttpResponse<String> get(String path) {
        try {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new IllegalStateException("the operator does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** MiB that it has in memory now ({@code VmRSS}), or had at most ({@code VmHWM}). */
    double memory(String field) throws IOException {
        return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
                .filter(line -> line.startsWith(field + ":"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
                .findFirst()
                .orElseThrow();
    }

    /** Ends it without a word. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        process.destroyForcibly();
        client.close();
    }
}
