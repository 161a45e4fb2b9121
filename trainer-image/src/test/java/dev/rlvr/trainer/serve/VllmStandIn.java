package dev.rlvr.trainer.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.rlvr.trainer.model.Drawing;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.rollout.Sample;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * What vLLM 0.32.0 says, recorded from the real one ({@code e2e/vllm} asks it), in front of our own sampler. Here as there the name of the weights
 * is only what {@code /update_weight_version} sets: a reload keeps it.
 */
public final class VllmStandIn implements AutoCloseable {
    static final String GENERATE = "/inference/v1/generate";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final PolicyThread policy;
    private final HttpServer http;
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final AtomicInteger failingReloads = new AtomicInteger();
    private volatile boolean keepsWeights;
    private volatile String version = "default";
    private volatile String mode = "processed_logprobs";
    private volatile String missing = "none";
    private volatile Runnable atGenerate = () -> {};
    private volatile UnaryOperator<String> generated = UnaryOperator.identity();

    private record Reply(int status, String body) {
        static Reply ok(String body) {
            return new Reply(200, body);
        }
    }

    private VllmStandIn(Path model) throws IOException {
        this.policy = new PolicyThread(ModelFolder.open(model), "unused", Precision.F32, 1, 64);
        this.http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        http.createContext("/", this::handle);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.start();
    }

    /** A server of that model. */
    public static VllmStandIn start(Path model) throws IOException {
        VllmStandIn server = new VllmStandIn(model);
        server.policy.config();
        return server;
    }

    /** Where it listens. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + http.getAddress().getPort());
    }

    /** What was asked for, in order, without looks at health and version. */
    List<String> calls() {
        return calls;
    }

    long count(String path) {
        return calls.stream().filter(path::equals).count();
    }

    /** Its log-probabilities are of this mode. */
    void logProbabilities(String other) {
        mode = other;
    }

    /** It has no such path. */
    void without(String path) {
        missing = path;
    }

    /** So many reloads fail. */
    void failReloads(int times) {
        failingReloads.set(times);
    }

    /** From now on reloads do nothing and succeed. */
    public void keepWeights() {
        keepsWeights = true;
    }

    /** Another program gives the weights a name, as another run's trainer would. */
    void rename(String name) {
        version = name;
    }

    /** Does something when answers are asked for. */
    void atGenerate(Runnable action) {
        atGenerate = action;
    }

    /** Changes what is said of answers. */
    void change(UnaryOperator<String> change) {
        generated = change;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            Reply reply = reply(exchange.getRequestURI(), body.length == 0 ? JSON.missingNode() : JSON.readTree(body));
            byte[] text = reply.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(reply.status(), text.length == 0 ? -1 : text.length);
            exchange.getResponseBody().write(text);
        }
    }

    private Reply reply(URI uri, JsonNode body) throws IOException {
        String path = uri.getPath();
        if (!path.equals("/health") && !path.equals("/weight_info")) {
            calls.add(path.equals(GENERATE) ? path : uri.toString());
        }
        if (path.equals(missing)) {
            return new Reply(404, "{\"detail\":\"Not Found\"}");
        }
        return switch (path) {
            case "/health" -> Reply.ok("");
            case "/weight_info" ->
                Reply.ok(JSON.createObjectNode().put("weight_version", version).toString());
            case "/server_info" ->
                Reply.ok("{\"vllm_config\":{\"model_config\":{\"dtype\":\"torch.float32\",\"logprobs_mode\":\"" + mode
                        + "\"}},\"vllm_env\":{}}");
            case "/pause" -> {
                policy.pause();
                yield Reply.ok("{\"status\":\"paused\"}");
            }
            case "/resume" -> {
                policy.proceed();
                yield Reply.ok("{\"status\":\"resumed\"}");
            }
            case "/update_weight_version" -> {
                version = body.path("new_version").asText();
                yield Reply.ok(JSON.createObjectNode()
                        .put("success", true)
                        .put("new_version", version)
                        .toString());
            }
            case "/collective_rpc" -> reload(body);
            case "/reset_prefix_cache" -> Reply.ok("{\"success\":true}");
            case "/abort_requests" -> {
                policy.abort();
                yield Reply.ok("{\"status\":\"aborted\",\"aborted\":0}");
            }
            case GENERATE -> generate(body);
            default -> new Reply(404, "{\"detail\":\"Not Found\"}");
        };
    }

    private Reply reload(JsonNode body) {
        String folder = body.path("kwargs").path("weights_path").asText();
        if (failingReloads.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            return new Reply(
                    500,
                    "{\"error\":{\"message\":\"Call to collective_rpc method failed: Worker failed with error '"
                            + folder + "'\",\"type\":\"InternalServerError\",\"param\":null,\"code\":500}}");
        }
        if (!keepsWeights) {
            policy.load(ModelFolder.open(Path.of(folder)), "unused").join();
        }
        return Reply.ok("{\"results\":[null]}");
    }

    private Reply generate(JsonNode body) {
        atGenerate.run();
        JsonNode sampling = body.path("sampling_params");
        List<Integer> prompt = JSON.convertValue(
                body.path("token_ids"), JSON.getTypeFactory().constructCollectionType(List.class, Integer.class));
        Set<Integer> ends = new HashSet<>();
        sampling.path("stop_token_ids").forEach(end -> ends.add(end.asInt()));
        Drawing drawing = new Drawing(
                sampling.path("temperature").asDouble(),
                sampling.path("top_p").asDouble(),
                sampling.path("top_k").asInt());
        List<Ask> asks = IntStream.range(0, sampling.path("n").asInt())
                .mapToObj(place -> new Ask(
                        prompt,
                        drawing,
                        sampling.path("max_tokens").asInt(),
                        ends,
                        sampling.path("seed").asLong() + place))
                .toList();
        List<Answer> answers = policy.generate(asks).join();
        ObjectNode reply = JSON.createObjectNode().put("output_mode", "tokens");
        ArrayNode choices = reply.putArray("choices");
        answers.forEach(answer -> write(choices.addObject().put("index", choices.size() - 1), answer));
        return Reply.ok(generated.apply(reply.toString()));
    }

    private void write(ObjectNode choice, Answer answer) {
        ArrayNode tokens = choice.putArray("token_ids");
        ArrayNode logProbabilities = choice.putObject("logprobs").putArray("content");
        ArrayNode spans = choice.putArray("weight_versions");
        switch (answer) {
            case Answer.Aborted _ -> choice.put("finish_reason", "abort");
            case Answer.Given given -> {
                Sample sample = given.sample();
                choice.put("finish_reason", sample.ended() ? "stop" : "length");
                for (int i = 0; i < sample.length(); i++) {
                    tokens.add(sample.tokens()[i]);
                    logProbabilities
                            .addObject()
                            .put("token_id", sample.tokens()[i])
                            .put("logprob", (double) sample.logProbabilities()[i])
                            .put("rank", 1);
                }
                spans.addObject().put("version", version).put("start", 0).put("end", sample.length());
            }
        }
    }

    @Override
    public void close() {
        policy.close();
        http.stop(0);
    }
}
