package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.e2e.ApiServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/**
 * The operator as its image starts it, with rights in one namespace.
 *
 * @param process what runs
 * @param port where it answers
 * @param log what it writes
 */
record OperatorJar(Process process, int port, Path log) implements AutoCloseable {
    private static final Path JAR = Path.of(
                    System.getProperty("rlvr.checkout"), "operator", "target", "quarkus-app", "quarkus-run.jar")
            .normalize();

    /** Starts it; the settings are environment variables besides those that say where the cluster and the namespace are. */
    static OperatorJar start(ApiServer api, String namespace, Path log, Map<String, String> settings)
            throws IOException {
        Path kubeconfig = Files.writeString(
                log.resolveSibling(log.getFileName() + ".kubeconfig"), OperatorRights.kubeconfig(api, namespace));
        int port = freePort();
        ProcessBuilder builder = command().redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("KUBECONFIG", kubeconfig.toString());
        builder.environment().put("RLVR_PORT", Integer.toString(port));
        builder.environment().put("RLVR_HOST", "127.0.0.1");
        builder.environment().put("RLVR_NAMESPACES", namespace);
        builder.environment().putAll(settings);
        return new OperatorJar(builder.start(), port, log);
    }

    static ProcessBuilder command(String... arguments) {
        assertThat(JAR).as("built by mvn package").isRegularFile();
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                JAR.toString());
        builder.command().addAll(List.of(arguments));
        return builder;
    }

    boolean isReady() {
        return get("/q/health/ready").statusCode() == 200;
    }

    /** What it tells Prometheus. */
    String metrics() {
        return get("/q/metrics").body();
    }

    /** The value of the one sample whose name and labels begin so. */
    OptionalDouble sample(String start) {
        return metrics()
                .lines()
                .filter(line -> line.startsWith(start))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst();
    }

    private HttpResponse<String> get(String path) {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (ConnectException e) {
            throw new AssertionError("it does not listen; it has logged: " + logged(), e);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private String logged() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Asks it to stop, as a kubelet does; its exit code. */
    int stop() throws InterruptedException {
        process.destroy();
        assertThat(process.waitFor(20, TimeUnit.SECONDS))
                .as("ends when asked to")
                .isTrue();
        return process.exitValue();
    }

    /** Ends it without a word. */
    void kill() {
        process.destroyForcibly();
    }

    @Override
    public void close() {
        kill();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
