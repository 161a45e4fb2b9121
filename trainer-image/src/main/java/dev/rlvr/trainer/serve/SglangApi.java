package dev.rlvr.trainer.serve;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.Drawing;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.rollout.Sample;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** SGLang's native HTTP interface, as much of it as training needs, in front of a {@link PolicyThread}. */
final class SglangApi implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SglangApi.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonFactory WRITER = new JsonFactory();

    private static final int OK = 200;
    private static final int WRONG = 400;
    private static final int NOT_FOUND = 404;
    private static final int NOT_ALLOWED = 405;
    private static final int BROKEN = 500;
    private static final int NOT_READY = 503;

    private static final int BACKLOG = 1024;

    /** How long a check that generates a token may take. */
    private static final int HEALTH_SECONDS = 20;

    private final HttpServer http;
    private final PolicyThread policy;
    private final RandomGenerator random;
    private final Map<String, Route> routes = Map.ofEntries(
            Map.entry("/generate", this::generate),
            Map.entry("/update_weights_from_disk", this::update),
            Map.entry("/abort_request", this::abort),
            Map.entry("/pause_generation", this::pause),
            Map.entry("/continue_generation", this::proceed),
            Map.entry("/flush_cache", _ -> flush()),
            Map.entry("/get_weight_version", _ -> version()),
            Map.entry("/model_info", _ -> version()),
            Map.entry("/get_model_info", _ -> version()),
            Map.entry("/health", _ -> health()),
            Map.entry("/health_generate", _ -> healthGenerate()));

    /** Paths that change something. */
    private static final Set<String> POST_ONLY = Set.of(
            "/generate", "/update_weights_from_disk", "/abort_request", "/pause_generation", "/continue_generation");

    @SuppressWarnings("ArrayRecordComponent") // written once, never compared
    private record Reply(int status, byte[] body) {
        static Reply of(int status, JsonNode body) {
            return new Reply(status, body.toString().getBytes(StandardCharsets.UTF_8));
        }

        static Reply error(int status, String message) {
            return of(
                    status,
                    JSON.createObjectNode().set("error", JSON.createObjectNode().put("message", message)));
        }

        static Reply success(String message) {
            return of(OK, JSON.createObjectNode().put("success", true).put("message", message));
        }
    }

    private interface Route {
        Reply to(JsonNode body) throws IOException;
    }

    /**
     * Listens at once.
     *
     * @param random gives the seeds of requests without one
     */
    SglangApi(InetSocketAddress address, PolicyThread policy, RandomGenerator random) throws IOException {
        this.policy = policy;
        this.random = random;
        this.http = HttpServer.create(address, BACKLOG);
        http.createContext("/", this::handle);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.start();
    }

    /** Where it listens. */
    InetSocketAddress address() {
        return http.getAddress();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Reply reply = reply(exchange);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(reply.status(), reply.body().length == 0 ? -1 : reply.body().length);
            exchange.getResponseBody().write(reply.body());
        }
    }

    private Reply reply(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        byte[] body = exchange.getRequestBody().readAllBytes();
        Route route = routes.get(path);
        if (route == null) {
            return Reply.error(
                    NOT_FOUND,
                    path + " is not one of " + routes.keySet().stream().sorted().toList());
        }
        if (POST_ONLY.contains(path) && !exchange.getRequestMethod().equals("POST")) {
            return Reply.error(NOT_ALLOWED, path + " needs POST");
        }
        try {
            return route.to(body.length == 0 ? JSON.createObjectNode() : JSON.readTree(body));
        } catch (JsonProcessingException e) {
            return Reply.error(WRONG, "the body is not JSON: " + e.getOriginalMessage());
        } catch (GenerateBody.WrongException e) {
            return Reply.error(WRONG, e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("{} failed", path, e);
            return Reply.error(BROKEN, path + " failed: " + e);
        }
    }

    private Reply generate(JsonNode body) throws IOException {
        GenerateBody request = GenerateBody.of(body, policy.config(), random);
        List<Answer> answers = policy.generate(request.asks()).join();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = WRITER.createGenerator(bytes)) {
            if (request.single()) {
                write(json, request.asks().getFirst(), answers.getFirst());
            } else {
                json.writeStartArray();
                for (int i = 0; i < answers.size(); i++) {
                    write(json, request.asks().get(i), answers.get(i));
                }
                json.writeEndArray();
            }
        }
        return new Reply(OK, bytes.toByteArray());
    }

    private static void write(JsonGenerator json, Ask ask, Answer answer) throws IOException {
        json.writeStartObject();
        switch (answer) {
            case Answer.Given(Sample sample, String version) -> {
                json.writeFieldName("output_ids");
                json.writeArray(sample.tokens(), 0, sample.length());
                json.writeObjectFieldStart("meta_info");
                write(json, sample.ended() ? "stop" : "length", version, ask, sample.length());
                json.writeArrayFieldStart("output_token_logprobs");
                for (int i = 0; i < sample.length(); i++) {
                    json.writeStartArray();
                    json.writeNumber(sample.logProbabilities()[i]);
                    json.writeNumber(sample.tokens()[i]);
                    json.writeNull();
                    json.writeEndArray();
                }
                json.writeEndArray();
            }
            case Answer.Aborted(String version) -> {
                json.writeArrayFieldStart("output_ids");
                json.writeEndArray();
                json.writeObjectFieldStart("meta_info");
                write(json, "abort", version, ask, 0);
                json.writeArrayFieldStart("output_token_logprobs");
                json.writeEndArray();
            }
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String reason, String version, Ask ask, int tokens)
            throws IOException {
        json.writeObjectFieldStart("finish_reason");
        json.writeStringField("type", reason);
        json.writeEndObject();
        json.writeStringField("weight_version", version);
        json.writeNumberField("prompt_tokens", ask.tokens().size());
        json.writeNumberField("completion_tokens", tokens);
    }

    private Reply update(JsonNode body) {
        String path = body.path("model_path").asText("");
        if (path.isEmpty()) {
            return failure("model_path: name the folder of a model");
        }
        if (body.path("abort_all_requests").asBoolean()) {
            policy.abort();
        }
        try {
            ModelFolder folder = ModelFolder.open(Path.of(path));
            if (!folder.config().equals(policy.config())) {
                return failure(
                        path + ": the model has another shape than the one that is served; start a server with it");
            }
            // without a name of its own, the weights keep the one that they replace: as with SGLang
            String version = policy.load(folder, body.path("weight_version").asText(policy.version()))
                    .join();
            LOG.info("weights {} from {}", version, path);
            return Reply.success("Succeeded to update model weights.");
        } catch (InputException e) {
            return failure(e.getMessage());
        } catch (CompletionException e) {
            LOG.warn("cannot load {}", path, e.getCause());
            return failure(String.valueOf(e.getCause()));
        }
    }

    private static Reply failure(String message) {
        return Reply.of(WRONG, JSON.createObjectNode().put("success", false).put("message", message));
    }

    private Reply abort(JsonNode body) {
        if (!body.path("abort_all").asBoolean()) {
            return Reply.error(WRONG, "abort_all: only true is supported");
        }
        policy.abort();
        return Reply.success("Requests aborted.");
    }

    private Reply pause(JsonNode body) {
        String mode = body.path("mode").asText("abort");
        if (!mode.equals("abort")) {
            return Reply.error(WRONG, "mode: " + mode + " is not supported; use abort");
        }
        policy.pause();
        return Reply.success("Generation paused.");
    }

    private Reply proceed(JsonNode body) {
        policy.proceed();
        return Reply.success("Generation continues.");
    }

    /** There is no cache that outlives a request; SGLang's can only be flushed while no request is there. */
    private Reply flush() {
        return policy.idle()
                ? Reply.success("Cache flushed.")
                : Reply.error(WRONG, "requests are being answered; flush the cache afterwards");
    }

    private Reply version() {
        return Reply.of(OK, JSON.createObjectNode().put("weight_version", policy.version()));
    }

    private Reply health() {
        return policy.alive() ? new Reply(OK, new byte[0]) : new Reply(NOT_READY, new byte[0]);
    }

    /** A server that is answering somebody is as healthy as can be; an idle one shows that it can. */
    private Reply healthGenerate() {
        if (!policy.alive() || !policy.idle()) {
            return health();
        }
        Ask ask = new Ask(List.of(0), new Drawing(0, 1, 0), 1, Set.of(), 0);
        CompletableFuture<List<Answer>> answer = policy.generate(List.of(ask));
        try {
            answer.get(HEALTH_SECONDS, TimeUnit.SECONDS);
            return new Reply(OK, new byte[0]);
        } catch (ExecutionException | TimeoutException e) {
            return new Reply(NOT_READY, new byte[0]);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Reply(NOT_READY, new byte[0]);
        }
    }

    /** Stops listening; requests under way are given a moment. */
    @Override
    public void close() {
        http.stop(1);
    }
}
