package dev.rlvr.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class KubernetesStatusTest {
    private static final ObjectMeta JOB = new ObjectMetaBuilder()
            .withNamespace("research")
            .withName("quickstart")
            .build();

    @TempDir
    Path folder;

    private HttpServer server;
    private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>();
    private final AtomicInteger refusals = new AtomicInteger();

    record Request(String method, URI uri, String type, String authorization, JsonNode body) {
        int step() {
            return body.at("/status/progress/step").asInt();
        }
    }

    @BeforeEach
    void start() throws IOException {
        Files.writeString(folder.resolve("token"), "token-1\n");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void theTrainersFieldsAreAppliedToTheStatusWithThePodsToken() throws Exception {
        try (KubernetesStatus sink = sink(Duration.ofMillis(1))) {
            sink.publish(status(3).with(new Checkpoint(2, "checkpoints/step-000002", "2026-01-01T00:00:00Z")));
        }

        Request request = requests.take();
        assertThat(request.method()).isEqualTo("PATCH");
        assertThat(request.uri())
                .hasToString("/apis/rlvr.dev/v1alpha1/namespaces/research/rlvrjobs/quickstart/status"
                        + "?fieldManager=rlvr-trainer&force=true");
        assertThat(request.type()).isEqualTo("application/apply-patch+yaml");
        assertThat(request.authorization()).isEqualTo("Bearer token-1");
        JsonNode body = request.body();
        assertThat(body.get("apiVersion").asText()).isEqualTo("rlvr.dev/v1alpha1");
        assertThat(body.get("kind").asText()).isEqualTo("RLVRJob");
        assertThat(body.at("/metadata/name").asText()).isEqualTo("quickstart");
        assertThat(body.get("status").properties().stream().map(Map.Entry::getKey))
                .containsExactly("progress", "checkpoint");
        assertThat(request.step()).isEqualTo(3);
    }

    @Test
    void manyStepsAreFewWritesAndTheLastOneIsAlwaysWritten() throws Exception {
        try (KubernetesStatus sink = sink(Duration.ofHours(1))) {
            sink.publish(status(1));
            assertThat(requests.take().step()).isEqualTo(1);
            for (int step = 2; step <= 100; step++) {
                sink.publish(status(step));
            }
            assertThat(requests.poll(300, TimeUnit.MILLISECONDS)).isNull();
        }

        assertThat(requests).extracting(Request::step).containsExactly(100);
    }

    @Test
    void aRenewedTokenIsUsed() throws Exception {
        try (KubernetesStatus sink = sink(Duration.ofMillis(1))) {
            sink.publish(status(1));
            assertThat(requests.take().authorization()).isEqualTo("Bearer token-1");
            Files.writeString(folder.resolve("token"), "token-2\n");
            sink.publish(status(2));
            assertThat(requests.take().authorization()).isEqualTo("Bearer token-2");
        }
    }

    @Test
    void whatTheApiServerRefusesIsTriedAgainUntilItIsTaken() throws Exception {
        refusals.set(3);
        try (KubernetesStatus sink = sink(Duration.ofMillis(20))) {
            sink.publish(status(7));

            for (int attempt = 0; attempt < 4; attempt++) {
                assertThat(requests.take().step()).isEqualTo(7);
            }
            assertThat(requests.poll(300, TimeUnit.MILLISECONDS)).isNull();
        }
    }

    @Test
    void trainingNeitherWaitsForNorFailsWithAnApiServerThatIsAway() {
        server.stop(0);
        long start = System.nanoTime();
        try (KubernetesStatus sink = sink(Duration.ofMillis(10))) {
            for (int step = 1; step <= 1_000; step++) {
                sink.publish(status(step));
            }
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    private KubernetesStatus sink(Duration interval) {
        URI address = URI.create("http://localhost:" + server.getAddress().getPort());
        HttpClient client = HttpClient.newHttpClient();
        return new KubernetesStatus(new StatusPatch(client, address, folder.resolve("token"), JOB), interval);
    }

    private static TrainerStatus status(int step) {
        return TrainerStatus.NONE
                .with(TrainerStatus.Phase.TRAINING)
                .with(Steps.step(step).progress(100, Instant.EPOCH, Instant.EPOCH));
    }

    private void handle(HttpExchange exchange) throws IOException {
        JsonNode body = new ObjectMapper().readTree(exchange.getRequestBody());
        requests.add(new Request(
                exchange.getRequestMethod(),
                exchange.getRequestURI(),
                header(exchange, "Content-Type"),
                header(exchange, "Authorization"),
                body));
        byte[] reply = "{\"message\":\"no\"}".getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(refusals.getAndDecrement() > 0 ? 503 : 200, reply.length);
        exchange.getResponseBody().write(reply);
        exchange.close();
    }

    private static String header(HttpExchange exchange, String name) {
        return List.copyOf(exchange.getRequestHeaders().get(name)).getFirst();
    }
}
