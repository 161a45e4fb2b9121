package dev.rlvr.e2e.cluster;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * The program in the pod of {@link HubPod}: a hub that answers as huggingface.co does, and prints each path that it is asked for. It has the model and
 * the problems of a quickstart folder, as {@code org/sums}. It is one class file and needs the JDK alone: the trainer's image runs it.
 */
final class Hub {
    /** What its branch {@code main} is. */
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    static final int PORT = 8080;

    private final Map<String, Path> folders;

    private Hub(Path quickstart) {
        this.folders = Map.of("models/org/sums", quickstart.resolve("model"), "datasets/org/sums", quickstart);
    }

    /** Serves the quickstart folder that the argument names. */
    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(PORT), 0);
        server.createContext("/", new Hub(Path.of(arguments[0]))::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        System.out.println(path);
        for (Map.Entry<String, Path> repository : folders.entrySet()) {
            String name = repository.getKey();
            String files = (name.startsWith("models/") ? name.substring("models".length()) : "/" + name) + "/resolve/"
                    + COMMIT + "/";
            if (path.equals("/api/" + name + "/revision/main")) {
                send(exchange, listing(repository.getValue()));
                return;
            }
            if (path.startsWith(files)) {
                send(exchange, Files.readAllBytes(repository.getValue().resolve(path.substring(files.length()))));
                return;
            }
        }
        exchange.sendResponseHeaders(404, -1);
        exchange.close();
    }

    private static byte[] listing(Path folder) throws IOException {
        List<String> files = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, Files::isRegularFile)) {
            for (Path file : found) {
                files.add("{\"rfilename\": \"%s\", \"size\": %d}".formatted(file.getFileName(), Files.size(file)));
            }
        }
        return "{\"sha\": \"%s\", \"siblings\": [%s]}"
                .formatted(COMMIT, String.join(", ", files))
                .getBytes(StandardCharsets.UTF_8);
    }

    /** With its SHA-256, as large files have it. */
    private static void send(HttpExchange exchange, byte[] content) throws IOException {
        exchange.getResponseHeaders().set("ETag", '"' + sha256(content) + '"');
        exchange.sendResponseHeaders(200, content.length);
        exchange.getResponseBody().write(content);
        exchange.close();
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
