package dev.rlvr.trainer.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A hub on this machine that answers as huggingface.co does: large files lie on a second server. It has the model {@code org/tiny} and the data
 * set {@code org/sums}, each a folder.
 */
public final class PlayedHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    final List<String> asked = new CopyOnWriteArrayList<>();
    final List<String> tokens = new CopyOnWriteArrayList<>();
    volatile String main = COMMIT;
    volatile int cutAfter = Integer.MAX_VALUE;
    final AtomicInteger busyAnswers = new AtomicInteger();
    volatile boolean damage;
    volatile boolean silent;
    volatile boolean sizes = true;

    private final Path models;
    private final Path datasets;
    private final HttpServer hub;
    private final HttpServer store;
    private final CountDownLatch closed = new CountDownLatch(1);

    /** @param root folders {@code models/tiny} and {@code datasets/sums} */
    public PlayedHub(Path root) throws IOException {
        models = root.resolve("models/tiny");
        datasets = root.resolve("datasets/sums");
        store = server();
        store.createContext("/", this::store);
        hub = server();
        hub.createContext("/", this::hub);
    }

    private static HttpServer server() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
        return server;
    }

    /** Paths that were asked for, in order. */
    public List<String> asked() {
        return asked;
    }

    /** Somebody pushes: the branch is another commit from now on. */
    public void moveMain(String commit) {
        main = commit;
    }

    public String address() {
        return address(hub);
    }

    private static String address(HttpServer server) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
    }

    private void hub(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        asked.add(path);
        tokens.add("hub " + authorization);
        if (busyAnswers.get() > 0) {
            busyAnswers.decrementAndGet();
            answer(exchange, 503, new byte[0]);
        } else if (path.contains("/org/secret/") && !"Bearer hf_secret".equals(authorization)) {
            answer(exchange, 401, new byte[0]);
        } else if (path.matches("/api/models/org/tiny/revision/(main|[0-9a-f]{40})")) {
            answer(exchange, 200, listing(models));
        } else if (path.matches("/api/datasets/org/sums/revision/(main|[0-9a-f]{40})")) {
            answer(exchange, 200, listing(datasets));
        } else if (path.matches("/org/tiny/resolve/[0-9a-f]{40}/.*")) {
            file(exchange, models, "models/", path.replaceFirst(".*/resolve/[0-9a-f]{40}/", ""));
        } else if (path.matches("/datasets/org/sums/resolve/[0-9a-f]{40}/.*")) {
            file(exchange, datasets, "datasets/", path.replaceFirst(".*/resolve/[0-9a-f]{40}/", ""));
        } else {
            answer(exchange, 404, new byte[0]);
        }
    }

    private byte[] listing(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            String names = files.filter(Files::isRegularFile)
                    .map(file -> "{\"rfilename\":\"%s\"%s}"
                            .formatted(folder.relativize(file), sizes ? ",\"size\":" + size(file) : ""))
                    .collect(Collectors.joining(","));
            return "{\"sha\":\"%s\",\"siblings\":[%s]}".formatted(main, names).getBytes(StandardCharsets.UTF_8);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void file(HttpExchange exchange, Path folder, String kind, String name) throws IOException {
        byte[] content = Files.readAllBytes(folder.resolve(name));
        if (name.endsWith(".safetensors") || name.endsWith(".parquet")) {
            exchange.getResponseHeaders().set("X-Linked-Etag", '"' + hash("SHA-256", "", content) + '"');
            exchange.getResponseHeaders().set("Location", address(store) + kind + name);
            answer(exchange, 302, new byte[0]);
        } else {
            exchange.getResponseHeaders()
                    .set("ETag", '"' + hash("SHA-1", "blob " + content.length + "\0", content) + '"');
            answer(exchange, 200, content);
        }
    }

    private void store(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String range = exchange.getRequestHeaders().getFirst("Range");
        asked.add("store " + path + (range == null ? "" : " " + range));
        tokens.add("store " + exchange.getRequestHeaders().getFirst("Authorization"));
        Path folder = path.startsWith("/models/") ? models : datasets;
        byte[] content = Files.readAllBytes(folder.resolve(path.replaceFirst("/[a-z]+/", "")));
        int from = range == null ? 0 : Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
        byte[] rest = Arrays.copyOfRange(content, from, content.length);
        if (damage) {
            rest[rest.length - 1]++;
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, rest.length);
        exchange.getResponseBody().write(rest, 0, Math.min(rest.length, cutAfter));
        exchange.getResponseBody().flush();
        if (silent) {
            silent = false;
            waitForEnd();
        }
        exchange.close(); // cut short where it has not written all
    }

    private void waitForEnd() {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        try (var out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private static String hash(String algorithm, String head, byte[] content) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(head.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        closed.countDown();
        hub.stop(0);
        store.stop(0);
    }
}
