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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * One server that speaks vLLM's HTTP interface: {@code /inference/v1/generate}, whose answers say for each span of tokens what the weights were
 * called that sampled it, and the development mode's {@code /pause}, {@code /collective_rpc}, {@code /update_weight_version} and
 * {@code /weight_info}.
 */
final class VllmServer implements RolloutServer {
    /** After temperature; over all tokens as long as none are left out. vLLM's default is before it. */
    private static final String AT_TEMPERATURE = "processed_logprobs";

    /** What vLLM says where a log-probability is no number. */
    private static final double NO_NUMBER = -9999;

    private final JsonClient http;
    private final Patience patience;
    private final Set<Integer> endTokens;

    VllmServer(JsonClient http, Patience patience, Set<Integer> endTokens) {
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

    @Override
    public String weightVersion() throws IOException, InterruptedException {
        JsonNode version = developmentMode(http.get("/weight_info", patience.reply()), "/weight_info")
                .path("weight_version");
        if (!version.isTextual()) {
            throw http.failure("does not say the version of its weights (/weight_info)");
        }
        return version.asText();
    }

    private JsonNode developmentMode(HttpResponse<byte[]> reply, String path) throws IOException {
        if (reply.statusCode() == JsonClient.NOT_FOUND) {
            throw http.failure("has no " + path + "; start vLLM 0.32 or newer with VLLM_SERVER_DEV_MODE=1");
        }
        return http.require(reply, path);
    }

    /**
     * Pause, reload, reset the cache, resume, and only then the name. A server that stops halfway, or is never resumed, so has a name that nobody
     * asks for.
     */
    @Override
    public void load(WeightsFolder.Version weights) throws IOException, InterruptedException {
        requireLogProbabilitiesAtTemperature();
        http.require(http.post("/pause?mode=abort", JsonClient.body(), patience.reply()), "pause");
        try {
            replace(weights);
        } catch (IOException e) {
            proceed();
            throw e;
        }
        proceed();
        name(weights.name());
        String version = weightVersion();
        if (!version.equals(weights.name())) {
            throw http.failure("has weights " + version + " after an update to " + weights.name());
        }
    }

    /** The first reply takes long: vLLM gathers facts about the machine for it. */
    private void requireLogProbabilitiesAtTemperature() throws IOException, InterruptedException {
        String path = "/server_info?config_format=json";
        String mode = developmentMode(http.get(path, patience.update()), path)
                .path("vllm_config")
                .path("model_config")
                .path("logprobs_mode")
                .asText("unknown");
        if (!mode.equals(AT_TEMPERATURE)) {
            throw http.failure(
                    "says log-probabilities of mode " + mode + "; start it with --logprobs-mode " + AT_TEMPERATURE);
        }
    }

    private void replace(WeightsFolder.Version weights) throws IOException, InterruptedException {
        name("updating-to-" + weights.name());
        ObjectNode reload = JsonClient.body().put("method", "reload_weights");
        reload.putObject("kwargs").put("weights_path", weights.folder().toString());
        http.require(http.post("/collective_rpc", reload, patience.update()), "reload_weights");
        // the pause did it, too; keys and values of other weights must not be used again
        JsonNode reset = http.require(
                http.post("/reset_prefix_cache?reset_external=true", JsonClient.body(), patience.reply()),
                "reset_prefix_cache");
        if (!reset.path("success").asBoolean()) {
            throw http.failure("did not empty its cache of prompts after an update");
        }
    }

    private void proceed() throws IOException, InterruptedException {
        http.require(http.post("/resume", JsonClient.body(), patience.reply()), "resume");
    }

    private void name(String version) throws IOException, InterruptedException {
        http.require(
                http.post("/update_weight_version", JsonClient.body().put("new_version", version), patience.reply()),
                "update_weight_version");
    }

    @Override
    public void abortAll() throws IOException, InterruptedException {
        http.post("/abort_requests", JsonClient.body(), patience.reply());
    }

    /** One request for all answers: vLLM seeds each with the first one's seed plus its place. */
    @Override
    public Sent send(Piece piece, AnswerSource.Settings settings) {
        ObjectNode body = JsonClient.body();
        piece.tokens().forEach(body.putArray("token_ids")::add);
        ObjectNode sampling = body.putObject("sampling_params")
                .put("n", piece.seeds().size())
                .put("seed", piece.seeds().getFirst())
                .put("temperature", settings.drawing().temperature())
                .put("top_p", settings.drawing().topP())
                .put("top_k", settings.drawing().topK())
                .put("max_tokens", settings.longest())
                .put("logprobs", 0)
                .put("detokenize", false)
                .put("ignore_eos", true); // what ends an answer is said here, not in the server's model folder
        ArrayNode ends = sampling.putArray("stop_token_ids");
        endTokens.stream().sorted().forEach(ends::add);
        return new Sent(http.send("/inference/v1/generate", body, patience.generate()));
    }

    @Override
    public Generated receive(Sent sent, Piece piece, AnswerSource.Settings settings)
            throws IOException, InterruptedException {
        JsonNode choices =
                http.require(http.await(sent.reply()), "/inference/v1/generate").path("choices");
        if (choices.size() != piece.seeds().size()) {
            throw http.failure(
                    "gave " + choices.size() + " answers where " + piece.seeds().size() + " were asked for");
        }
        List<Sample> samples = new ArrayList<>();
        Set<String> versions = new LinkedHashSet<>();
        for (JsonNode choice : choices) {
            samples.add(sample(choice, settings));
            versions.addAll(versions(choice));
        }
        return new Generated(samples, String.join(" and ", versions));
    }

    /** What the weights were called; unknown where the spans do not follow each other from the answer's first token to its last. */
    private static List<String> versions(JsonNode choice) {
        List<String> versions = new ArrayList<>();
        int end = 0;
        for (JsonNode span : choice.path("weight_versions")) {
            if (span.path("start").asInt(-1) != end) {
                return List.of("unknown");
            }
            end = span.path("end").asInt(-1);
            versions.add(span.path("version").asText("unknown"));
        }
        return end == choice.path("token_ids").size() ? versions : List.of("unknown");
    }

    private Sample sample(JsonNode choice, AnswerSource.Settings settings) throws IOException {
        String finish = choice.path("finish_reason").asText("");
        JsonNode tokens = choice.path("token_ids");
        JsonNode logProbabilities = choice.path("logprobs").path("content");
        if (logProbabilities.size() != tokens.size()) {
            throw http.failure(
                    "gave " + logProbabilities.size() + " log-probabilities of " + tokens.size() + " tokens");
        }
        if (finish.equals("length") && tokens.size() < settings.longest()) {
            throw http.failure("cut an answer after " + tokens.size() + " tokens where " + settings.longest()
                    + " were asked for; start it with a larger --max-model-len");
        }
        Drawn drawn = new Drawn(http, finish, tokens.size());
        for (int i = 0; i < tokens.size(); i++) {
            JsonNode said = logProbabilities.path(i);
            if (!said.path("token_id").equals(tokens.path(i))
                    || said.path("logprob").asDouble() <= NO_NUMBER) {
                throw http.failure(
                        "gave " + said + " where the log-probability of token " + tokens.path(i) + " belongs");
            }
            drawn.set(i, tokens.path(i), said.path("logprob"));
        }
        return drawn.sample(settings, endTokens);
    }
}
