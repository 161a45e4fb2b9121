package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.ModelConfig.Family;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a hub on this machine that answers as huggingface.co does: weights lie on a second server. */
class HuggingFaceHubTest {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    @TempDir
    Path work;

    private Path model;
    private HttpServer hub;
    private HttpServer store;
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<String> tokens = new CopyOnWriteArrayList<>();
    private volatile int cutAfter = Integer.MAX_VALUE;
    private volatile boolean damage;

    @BeforeEach
    void start() throws IOException {
        model = TinyModel.write(work.resolve("model"), Family.QWEN2);
        Files.writeString(model.resolve("README.md"), "not wanted");
        Files.writeString(model.resolve("pytorch_model.bin"), "not wanted");
        store = server();
        store.createContext("/", this::store);
        hub = server();
        hub.createContext("/", this::hub);
    }

    private static HttpServer server() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.start();
        return server;
    }

    @AfterEach
    void stop() {
        hub.stop(0);
        store.stop(0);
    }

    private static String address(HttpServer server) {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
    }

    private HuggingFaceHub client(Optional<String> token) {
        return new HuggingFaceHub(URI.create(address(hub)), token, work.resolve("cache"));
    }

    private void hub(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        asked.add(path);
        tokens.add("hub " + exchange.getRequestHeaders().getFirst("Authorization"));
        String files = "/org/tiny/resolve/" + COMMIT + "/";
        if (path.equals("/api/models/org/secret/revision/main")) {
            answer(exchange, 401, new byte[0]);
        } else if (path.equals("/api/models/org/tiny/revision/main")
                || path.equals("/api/models/org/tiny/revision/" + COMMIT)) {
            String names = Arrays.stream(model.toFile().list())
                    .map("{\"rfilename\":\"%s\"}"::formatted)
                    .collect(Collectors.joining(","));
            answer(
                    exchange,
                    200,
                    "{\"sha\":\"%s\",\"siblings\":[%s]}"
                            .formatted(COMMIT, names)
                            .getBytes(StandardCharsets.UTF_8));
        } else if (path.startsWith(files)) {
            file(exchange, path.substring(files.length()));
        } else {
            answer(exchange, 404, new byte[0]);
        }
    }

    private void file(HttpExchange exchange, String name) throws IOException {
        byte[] content = Files.readAllBytes(model.resolve(name));
        if (name.endsWith(".safetensors")) {
            exchange.getResponseHeaders().set("X-Linked-Etag", '"' + hash("SHA-256", "", content) + '"');
            exchange.getResponseHeaders().set("Location", address(store) + name);
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
        byte[] content = Files.readAllBytes(model.resolve(path.substring(1)));
        int from = range == null ? 0 : Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
        byte[] rest = Arrays.copyOfRange(content, from, content.length);
        if (damage) {
            rest[rest.length - 1]++;
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, rest.length);
        exchange.getResponseBody().write(rest, 0, Math.min(rest.length, cutAfter));
        exchange.getResponseBody().flush();
        exchange.close(); // cut short where it has not written all
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
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aModelIsDownloadedOnceAndWithoutWhatNobodyNeeds() throws IOException {
        Path folder = client(Optional.empty()).fetch("org/tiny", "main");

        assertThat(ModelFolder.open(folder).config()).isEqualTo(TinyModel.config(Family.QWEN2));
        assertThat(folder.resolve("model.safetensors")).hasSameBinaryContentAs(model.resolve("model.safetensors"));
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder("config.json", "model.safetensors", "tokenizer.json");

        asked.clear();
        assertThat(client(Optional.empty()).fetch("org/tiny", "main")).isEqualTo(folder);
        assertThat(asked).as("only what main is now").containsExactly("/api/models/org/tiny/revision/main");
        asked.clear();
        assertThat(client(Optional.empty()).fetch("org/tiny", COMMIT)).isEqualTo(folder);
        assertThat(asked).as("a commit does not change").isEmpty();
    }

    @Test
    void theTokenGoesToTheHubAndToNobodyElse() {
        client(Optional.of("hf_secret")).fetch("org/tiny", "main");

        assertThat(tokens).contains("hub Bearer hf_secret", "store null").doesNotContain("store Bearer hf_secret");
    }

    @Test
    void aDownloadThatBreaksOffIsContinued() throws IOException {
        cutAfter = 5000;

        Path folder = client(Optional.empty()).fetch("org/tiny", "main");

        assertThat(folder.resolve("model.safetensors")).hasSameBinaryContentAs(model.resolve("model.safetensors"));
        assertThat(asked).contains("store /model.safetensors", "store /model.safetensors bytes=5000-");
    }

    @Test
    void bytesThatAreNotTheFilesAreNotKept() {
        damage = true;

        assertThatThrownBy(() -> client(Optional.empty()).fetch("org/tiny", "main"))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("does not have the hash");
        assertThat(work.resolve("cache/org--tiny/" + COMMIT + "/model.safetensors"))
                .doesNotExist();

        damage = false;
        assertThat(client(Optional.empty()).fetch("org/tiny", "main")).isDirectory();
    }

    @Test
    void aModelThatIsNotSupportedIsRefusedBeforeItsWeightsAreFetched() throws IOException {
        TinyModel.writeConfig(model, TinyModel.json(Family.QWEN2).put("model_type", "qwen2_moe"));

        assertThatThrownBy(() -> client(Optional.empty()).fetch("org/tiny", "main"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("qwen2_moe");
        assertThat(asked).noneMatch(path -> path.startsWith("store"));
    }

    @Test
    void aHubThatIsGoneIsMadeUpForByTheCacheIfThatIsWhole() throws IOException {
        HuggingFaceHub client = client(Optional.empty());
        Path folder = client.fetch("org/tiny", "main");
        hub.stop(0);

        assertThat(client.fetch("org/tiny", "main")).isEqualTo(folder);
        assertThatThrownBy(() -> client.fetch("org/tiny", "v2"))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContainingAll(
                        "cannot reach " + address(hub).replaceFirst("/$", ""), "HF_ENDPOINT", "file:///");
    }

    @Test
    void whatTheUserGotWrongIsNamed() {
        HuggingFaceHub client = client(Optional.empty());
        for (Map.Entry<String, String> wrong : Map.of(
                        "org/none", "does not exist; correct the model's name or revision",
                        "org/secret", "is not public; correct the name, or give a token",
                        "org/ti ny", "write hf://ORG/NAME",
                        "org/tiny/model", "write hf://ORG/NAME")
                .entrySet()) {
            assertThatThrownBy(() -> client.fetch(wrong.getKey(), "main"))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(wrong.getValue());
        }
        assertThatThrownBy(() -> client.fetch("org/tiny", "other"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("revision");
    }

    @Test
    void aRepositoryWithoutSafetensorsIsRefused() throws IOException {
        Files.delete(model.resolve("model.safetensors"));

        assertThatThrownBy(() -> client(Optional.empty()).fetch("org/tiny", "main"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no model.safetensors");
        assertThat(new ArrayList<>(asked)).hasSize(1);
    }
}
