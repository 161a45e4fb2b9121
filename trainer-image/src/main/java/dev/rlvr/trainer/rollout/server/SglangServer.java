package dev.rlvr.trainer.rollout.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.Sample;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * One server that speaks SGLang's native HTTP interface. Every method throws {@link IOException} where the server cannot be reached, takes too
 * long, says no, or says what makes no sense; the message then starts with its URL.
 */
final class SglangServer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int OK = 200;

    /** Looks at a cache that cannot be flushed yet because requests pend. */
    private static final int FLUSHES = 60;

    private final URI url;
    private final HttpClient client;
    private final Patience patience;
    private final Set<Integer> endTokens;

    /**
     * Answers and the weights that they were sampled with.
     *
     * @param version what the server calls the weights
     */
    record Generated(List<Sample> samples, String version) {}

    /** A request under way. */
    record Sent(CompletableFuture<HttpResponse<byte[]>> reply) {
        void cancel() {
            reply.cancel(true);
        }
    }

    SglangServer(URI url, HttpClient client, Patience patience, Set<Integer> endTokens) {
        this.url = URI.create(url.toString().replaceAll("/+$", ""));
        this.client = client;
        this.patience = patience;
        this.endTokens = endTokens;
    }

    URI url() {
        return url;
    }

    /** Passes where the server says that it can generate. */
    void requireHealthy() throws IOException, InterruptedException {
        require(call("/health", patience.reply()), "/health");
    }

    /** What the server calls its weights. Newer versions of SGLang say it in {@code /model_info} only, older ones elsewhere. */
    String weightVersion() throws IOException, InterruptedException {
        for (String path : List.of("/model_info", "/get_weight_version", "/get_model_info")) {
            HttpResponse<byte[]> reply = call(path, patience.reply());
            if (reply.statusCode() == OK && json(reply).path("weight_version").isTextual()) {
                return json(reply).path("weight_version").asText();
            }
        }
        throw new IOException(url + ": does not say the version of its weights (/model_info, /get_weight_version)");
    }

    /**
     * Replaces the weights: pause, flush, update, flush, continue, and then ask for the version. What was being generated is aborted.
     */
    void load(WeightsFolder.Version weights) throws IOException, InterruptedException {
        require(call("/pause_generation", JSON.createObjectNode().put("mode", "abort"), patience.reply()), "pause");
        try {
            replace(weights);
        } catch (IOException e) {
            proceed();
            throw e;
        }
        proceed();
        String version = weightVersion();
        if (!version.equals(weights.name())) {
            throw new IOException(url + ": has weights " + version + " after an update to " + weights.name()
                    + " that it called done");
        }
    }

    private void proceed() throws IOException, InterruptedException {
        require(call("/continue_generation", JSON.createObjectNode(), patience.reply()), "continue");
    }

    private void replace(WeightsFolder.Version weights) throws IOException, InterruptedException {
        flush();
        ObjectNode update = JSON.createObjectNode()
                .put("model_path", weights.folder().toString())
                .put("flush_cache", true)
                .put("abort_all_requests", true)
                .put("weight_version", weights.name());
        JsonNode reply =
                require(call("/update_weights_from_disk", update, patience.update()), "update_weights_from_disk");
        if (!reply.path("success").asBoolean()) {
            throw new IOException(url + ": did not take the weights of " + weights.folder() + ": "
                    + reply.path("message").asText("no reason given"));
        }
        flush();
    }

    /** Empties the cache of prompts: keys and values of other weights must not be used again. */
    private void flush() throws IOException, InterruptedException {
        HttpResponse<byte[]> reply = call("/flush_cache", JSON.createObjectNode(), patience.reply());
        for (int i = 1; i < FLUSHES && reply.statusCode() != OK; i++) {
            Thread.sleep(patience.firstPause());
            reply = call("/flush_cache", JSON.createObjectNode(), patience.reply());
        }
        require(reply, "flush_cache");
    }

    /** Lets the server forget all requests; one that cannot only works for nothing. */
    void abortAll() throws IOException, InterruptedException {
        call("/abort_request", JSON.createObjectNode().put("rid", "").put("abort_all", true), patience.reply());
    }

    /** Sends a request for answers. */
    Sent send(Piece piece, AnswerSource.Settings settings) {
        ObjectNode body = JSON.createObjectNode();
        ArrayNode inputs = body.putArray("input_ids");
        ArrayNode parameters = body.putArray("sampling_params");
        for (long seed : piece.seeds()) {
            piece.tokens().forEach(inputs.addArray()::add);
            ObjectNode sampling = parameters
                    .addObject()
                    .put("temperature", settings.drawing().temperature())
                    .put("top_p", settings.drawing().topP())
                    .put(
                            "top_k",
                            settings.drawing().topK() == 0
                                    ? -1
                                    : settings.drawing().topK())
                    .put("max_new_tokens", settings.longest())
                    .put("sampling_seed", seed);
            ArrayNode ends = sampling.putArray("stop_token_ids");
            endTokens.stream().sorted().forEach(ends::add);
        }
        body.put("return_logprob", true);
        return new Sent(client.sendAsync(
                request("/generate", patience.generate()).POST(text(body)).build(),
                HttpResponse.BodyHandlers.ofByteArray()));
    }

    /** Waits for the answers of a request. */
    Generated receive(Sent sent, Piece piece, AnswerSource.Settings settings) throws IOException, InterruptedException {
        JsonNode reply = require(await(sent.reply()), "generate");
        if (reply.isObject()) {
            reply = JSON.createArrayNode().add(reply);
        }
        if (reply.size() != piece.seeds().size()) {
            throw new IOException(url + ": gave " + reply.size() + " answers where "
                    + piece.seeds().size() + " were asked for");
        }
        List<Sample> samples = new ArrayList<>();
        String version = reply.path(0).path("meta_info").path("weight_version").asText("unknown");
        for (JsonNode answer : reply) {
            JsonNode meta = answer.path("meta_info");
            samples.add(sample(meta, settings.longest()));
            if (!meta.path("weight_version").asText("unknown").equals(version)) {
                version = "mixed";
            }
        }
        return new Generated(samples, version);
    }

    private Sample sample(JsonNode meta, int longest) throws IOException {
        String reason = meta.path("finish_reason").path("type").asText("");
        JsonNode drawn = meta.path("output_token_logprobs");
        boolean whole = reason.equals("stop") || reason.equals("length");
        if (!whole || drawn.isEmpty() || drawn.size() > longest) {
            throw new IOException(
                    url + ": gave an answer of " + drawn.size() + " tokens that finished with '" + reason + "'");
        }
        int[] tokens = new int[drawn.size()];
        float[] logProbabilities = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            JsonNode logProbability = drawn.get(i).path(0);
            JsonNode token = drawn.get(i).path(1);
            if (!logProbability.isNumber() || !token.isInt() || !Float.isFinite(logProbability.floatValue())) {
                throw new IOException(url + ": gave " + drawn.get(i) + " where log-probability and token belong");
            }
            tokens[i] = token.intValue();
            logProbabilities[i] = logProbability.floatValue();
        }
        float[] entropies = new float[tokens.length];
        Arrays.fill(entropies, Float.NaN);
        // an end in the very last place that there is: servers call that the length
        boolean ended = reason.equals("stop") || endTokens.contains(tokens[tokens.length - 1]);
        return new Sample(tokens, logProbabilities, entropies, ended);
    }

    private HttpRequest.Builder request(String path, Duration timeout) {
        return HttpRequest.newBuilder(URI.create(url + path))
                .timeout(timeout)
                .header("Content-Type", "application/json");
    }

    private HttpResponse<byte[]> call(String path, Duration timeout) throws IOException, InterruptedException {
        return send(request(path, timeout).GET().build());
    }

    private HttpResponse<byte[]> call(String path, JsonNode body, Duration timeout)
            throws IOException, InterruptedException {
        return send(request(path, timeout).POST(text(body)).build());
    }

    private HttpResponse<byte[]> send(HttpRequest request) throws IOException, InterruptedException {
        return await(client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray()));
    }

    private HttpResponse<byte[]> await(CompletableFuture<HttpResponse<byte[]>> reply)
            throws IOException, InterruptedException {
        try {
            return reply.get();
        } catch (ExecutionException e) {
            throw new IOException(url + ": " + e.getCause(), e.getCause());
        } catch (CancellationException e) {
            throw new IOException(url + ": the request was given up", e);
        } catch (InterruptedException e) {
            reply.cancel(true);
            throw e;
        }
    }

    private JsonNode require(HttpResponse<byte[]> reply, String what) throws IOException {
        if (reply.statusCode() != OK) {
            String body = new String(reply.body(), StandardCharsets.UTF_8).strip();
            throw new IOException(url + ": " + what + " failed with status " + reply.statusCode()
                    + (body.isEmpty() ? "" : ": " + body.substring(0, Math.min(body.length(), 300))));
        }
        boolean json = reply.body().length > 0 && (reply.body()[0] == '{' || reply.body()[0] == '[');
        return json ? json(reply) : JSON.missingNode();
    }

    private JsonNode json(HttpResponse<byte[]> reply) throws IOException {
        try {
            return JSON.readTree(reply.body());
        } catch (JsonProcessingException e) {
            throw new IOException(url + ": said what is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static HttpRequest.BodyPublisher text(JsonNode body) {
        try {
            return HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
