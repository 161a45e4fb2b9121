package dev.rlvr.trainer.rollout.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.Sample;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** One server that speaks SGLang's native HTTP interface. */
final class SglangServer implements RolloutServer {
    /** Looks at a cache that cannot be flushed yet because requests pend. */
    private static final int FLUSHES = 60;

    private final JsonClient http;
    private final Patience patience;
    private final Set<Integer> endTokens;

    SglangServer(JsonClient http, Patience patience, Set<Integer> endTokens) {
        this.http = http;
        this.patience = patience;
        this.endTokens = endTokens;
    }

    @Override
    public URI url() {
        return http.url();
    }

    @Override
    public void requireHealthy() throws IOException, InterruptedException {
        http.require(http.get("/health", patience.reply()), "/health");
    }

    /** Newer versions of SGLang say it in {@code /model_info} only, older ones elsewhere. */
    @Override
    public String weightVersion() throws IOException, InterruptedException {
        for (String path : List.of("/model_info", "/get_weight_version", "/get_model_info")) {
            HttpResponse<byte[]> reply = http.get(path, patience.reply());
            if (reply.statusCode() == JsonClient.OK
                    && http.json(reply).path("weight_version").isTextual()) {
                return http.json(reply).path("weight_version").asText();
            }
        }
        throw http.failure("does not say the version of its weights (/model_info, /get_weight_version)");
    }

    /** Pause, flush, update, flush, continue, and then ask for the version. */
    @Override
    public void load(WeightsFolder.Version weights) throws IOException, InterruptedException {
        ObjectNode mode = JsonClient.body().put("mode", "abort");
        http.require(http.post("/pause_generation", mode, patience.reply()), "pause");
        try {
            replace(weights);
        } catch (IOException e) {
            proceed();
            throw e;
        }
        proceed();
        String version = weightVersion();
        if (!version.equals(weights.name())) {
            throw http.failure(
                    "has weights " + version + " after an update to " + weights.name() + " that it called done");
        }
    }

    private void proceed() throws IOException, InterruptedException {
        http.require(http.post("/continue_generation", JsonClient.body(), patience.reply()), "continue");
    }

    private void replace(WeightsFolder.Version weights) throws IOException, InterruptedException {
        flush();
        ObjectNode update = JsonClient.body()
                .put("model_path", weights.folder().toString())
                .put("flush_cache", true)
                .put("abort_all_requests", true)
                .put("weight_version", weights.name());
        JsonNode reply = http.require(
                http.post("/update_weights_from_disk", update, patience.update()), "update_weights_from_disk");
        if (!reply.path("success").asBoolean()) {
            throw http.failure("did not take the weights of " + weights.folder() + ": "
                    + reply.path("message").asText("no reason given"));
        }
        flush();
    }

    /** Empties the cache of prompts: keys and values of other weights must not be used again. */
    private void flush() throws IOException, InterruptedException {
        HttpResponse<byte[]> reply = http.post("/flush_cache", JsonClient.body(), patience.reply());
        for (int i = 1; i < FLUSHES && reply.statusCode() != JsonClient.OK; i++) {
            Thread.sleep(patience.firstPause());
            reply = http.post("/flush_cache", JsonClient.body(), patience.reply());
        }
        http.require(reply, "flush_cache");
    }

    @Override
    public void abortAll() throws IOException, InterruptedException {
        http.post("/abort_request", JsonClient.body().put("rid", "").put("abort_all", true), patience.reply());
    }

    @Override
    public Sent send(Piece piece, AnswerSource.Settings settings) {
        ObjectNode body = JsonClient.body();
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
        return new Sent(http.send("/generate", body, patience.generate()));
    }

    @Override
    public Generated receive(Sent sent, Piece piece, AnswerSource.Settings settings)
            throws IOException, InterruptedException {
        JsonNode reply = http.require(http.await(sent.reply()), "generate");
        if (reply.isObject()) {
            reply = JsonClient.list(reply);
        }
        if (reply.size() != piece.seeds().size()) {
            throw http.failure(
                    "gave " + reply.size() + " answers where " + piece.seeds().size() + " were asked for");
        }
        List<Sample> samples = new ArrayList<>();
        String version = reply.path(0).path("meta_info").path("weight_version").asText("unknown");
        for (JsonNode answer : reply) {
            JsonNode meta = answer.path("meta_info");
            samples.add(sample(meta, settings));
            if (!meta.path("weight_version").asText("unknown").equals(version)) {
                version = "mixed";
            }
        }
        return new Generated(samples, version);
    }

    private Sample sample(JsonNode meta, AnswerSource.Settings settings) throws IOException {
        JsonNode pairs = meta.path("output_token_logprobs");
        Drawn drawn = new Drawn(http, meta.path("finish_reason").path("type").asText(""), pairs.size());
        for (int i = 0; i < pairs.size(); i++) {
            drawn.set(i, pairs.path(i).path(1), pairs.path(i).path(0));
        }
        return drawn.sample(settings, endTokens);
    }
}
