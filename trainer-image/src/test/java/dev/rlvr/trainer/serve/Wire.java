package dev.rlvr.trainer.serve;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** What lies between a client and a server: it can be slow, be cut, and change what is said. */
final class Wire implements AutoCloseable {
    private final HttpServer http;
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<String> paths = new CopyOnWriteArrayList<>();
    private volatile URI target;
    private volatile Duration delay = Duration.ZERO;
    private final AtomicInteger sickChecks = new AtomicInteger();
    private volatile Runnable atGenerate = () -> {};
    private volatile UnaryOperator<String> generated = UnaryOperator.identity();

    /** A wire to a server. */
    Wire(URI target) throws IOException {
        this.target = target;
        this.http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        http.createContext("/", this::forward);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.start();
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + http.getAddress().getPort());
    }

    /** Leads to another server from now on. */
    void leadTo(URI other) {
        target = other;
    }

    /** Answers come so much later. */
    void slow(Duration later) {
        delay = later;
    }

    /** So many health checks fail; then it is well, and fast. */
    void sickFor(int checks) {
        sickChecks.set(checks);
    }

    /** Does something when answers are asked for. */
    void atGenerate(Runnable action) {
        atGenerate = action;
    }

    /** Changes what is said of answers. */
    void change(UnaryOperator<String> change) {
        generated = change;
    }

    /** How often a path was asked for. */
    long count(String path) {
        return paths.stream().filter(path::equals).count();
    }

    /** Breaks all connections for good. */
    @Override
    public void close() {
        http.stop(0);
        client.shutdownNow();
    }

    private void forward(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            byte[] asked = exchange.getRequestBody().readAllBytes();
            paths.add(path);
            if (path.equals("/generate")) {
                atGenerate.run();
            }
            HttpResponse<byte[]> reply = client.send(
                    HttpRequest.newBuilder(target.resolve(path))
                            .header("Content-Type", "application/json")
                            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(asked))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            byte[] body = reply.body();
            if (path.equals("/generate")) {
                Thread.sleep(delay);
                body = generated.apply(new String(body, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
            }
            int status = path.equals("/health") && isSick() ? 503 : reply.statusCode();
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isSick() {
        boolean sick = sickChecks.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
        if (sick && sickChecks.get() == 0) {
            delay = Duration.ZERO;
        }
        return sick;
    }
}
