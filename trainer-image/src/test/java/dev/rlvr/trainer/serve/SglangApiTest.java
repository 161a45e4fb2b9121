package dev.rlvr.trainer.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.TinyModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The contract of {@code docs/rollout-servers.md}, request by request. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SglangApiTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    private static Path folder;

    private static LocalServer server;

    @BeforeAll
    static void start() throws IOException {
        server = LocalServer.start(TinyModel.write(folder.resolve("model"), ModelConfig.Family.LLAMA));
        server.policy().config();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private record Reply(int status, JsonNode body) {}

    private static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(server.url() + path));
    }

    private static Reply read(HttpResponse<String> reply) {
        try {
            return new Reply(reply.statusCode(), JSON.readTree(reply.body()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static CompletableFuture<Reply> posting(String path, String body) {
        return CLIENT.sendAsync(
                        to(path).POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .thenApply(SglangApiTest::read);
    }

    private static Reply post(String path, String body) {
        return posting(path, body).join();
    }

    private static Reply get(String path) throws IOException, InterruptedException {
        return read(CLIENT.send(to(path).GET().build(), HttpResponse.BodyHandlers.ofString()));
    }

    @Test
    void aPromptThatIsNotInAListIsAnsweredWithoutOne() {
        Reply reply = post(
                "/generate",
                "{'input_ids': [3, 4], 'sampling_params': {'max_new_tokens': 5, 'sampling_seed': 9}, 'return_logprob': true}");

        assertThat(reply.status()).isEqualTo(200);
        JsonNode meta = reply.body().path("meta_info");
        assertThat(meta.path("finish_reason").path("type").asText()).isIn("stop", "length");
        assertThat(meta.path("weight_version").asText()).isEqualTo("default");
        assertThat(meta.path("prompt_tokens").asInt()).isEqualTo(2);
        assertThat(meta.path("completion_tokens").asInt()).isBetween(1, 5);
        JsonNode drawn = meta.path("output_token_logprobs");
        assertThat(drawn).hasSameSizeAs(reply.body().path("output_ids"));
        for (int i = 0; i < drawn.size(); i++) {
            assertThat(drawn.get(i).get(0).asDouble()).isNegative();
            assertThat(drawn.get(i).get(1))
                    .isEqualTo(reply.body().path("output_ids").get(i));
            assertThat(drawn.get(i).get(2).isNull()).isTrue();
        }
    }

    @Test
    void aSeedDecidesTheAnswerWhateverElseIsAsked() {
        String one = "{'max_new_tokens': 20, 'sampling_seed': -7}";
        String other = "{'max_new_tokens': 20, 'sampling_seed': 8}";
        JsonNode alone = post("/generate", "{'input_ids': [5, 6], 'sampling_params': " + one + "}")
                .body();
        JsonNode together = post(
                        "/generate",
                        "{'input_ids': [[5, 6], [5, 6], [7]], 'sampling_params': [" + other + ", " + one + ", " + one
                                + "]}")
                .body();

        assertThat(together).hasSize(3);
        assertThat(together.get(1).path("output_ids")).isEqualTo(alone.path("output_ids"));
        assertThat(together.get(0).path("output_ids")).isNotEqualTo(alone.path("output_ids"));
    }

    @Test
    void severalAnswersToAPromptDiffer() {
        JsonNode answers = post("/generate", "{'input_ids': [5], 'sampling_params': {'n': 3, 'max_new_tokens': 20}}")
                .body();

        assertThat(answers).hasSize(3);
        assertThat(answers.get(0).path("output_ids"))
                .isNotEqualTo(answers.get(1).path("output_ids"));
    }

    @Test
    void anAnswerEndsAtTheTokensNamed() {
        JsonNode greedy = post(
                        "/generate", "{'input_ids': [5], 'sampling_params': {'temperature': 0, 'max_new_tokens': 8}}")
                .body()
                .path("output_ids");
        JsonNode cut = post(
                        "/generate",
                        "{'input_ids': [5], 'sampling_params': {'temperature': 0, 'max_new_tokens': 8, 'stop_token_ids': ["
                                + greedy.get(0) + "]}}")
                .body();

        assertThat(cut.path("output_ids")).hasSize(1);
        assertThat(cut.path("meta_info").path("finish_reason").path("type").asText())
                .isEqualTo("stop");
    }

    @ParameterizedTest(name = "{0} -> {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {                                                   | the body is not JSON
                    {}                                                  | input_ids: give the token ids
                    {'text': 'hello'}                                   | text is not supported
                    {'input_ids': [51]}                                 | input_ids: 51 is not a token; ids are from 0 to 50
                    {'input_ids': [[1], []]}                            | input_ids: a prompt needs at least one token
                    {'input_ids': [1], 'sampling_params': {'min_p': 1}} | sampling_params.min_p is not supported
                    {'input_ids': [1], 'sampling_params': {'top_p': 0}} | topP 0.0
                    {'input_ids': [1], 'sampling_params': {'temperature': 'hot'}} | sampling_params.temperature: "hot" is not a number
                    {'input_ids': [1], 'sampling_params': {'max_new_tokens': 64}} | more than the model's 64
                    {'input_ids': [1], 'sampling_params': {'sampling_seed': 1.5}} | is not an integer of 64 bits
                    {'input_ids': [[1], [2]], 'sampling_params': [{}]}  | a list needs one entry for each prompt
                    """)
    void whatCannotBeAnsweredIsRefusedWithTheField(String body, String message) {
        Reply reply = post("/generate", body);

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body().path("error").path("message").asText()).contains(message);
    }

    @Test
    void weightsThatCannotBeReadLeaveTheOldOnes() throws Exception {
        Path damaged = TinyModel.write(folder.resolve("damaged"), ModelConfig.Family.LLAMA);
        Files.write(damaged.resolve("model.safetensors"), new byte[] {1, 2, 3});
        for (Path path : new Path[] {folder.resolve("nowhere"), damaged}) {
            Reply reply =
                    post("/update_weights_from_disk", "{'model_path': '" + path + "', 'weight_version': 'step-9'}");
            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.body().path("success").asBoolean()).isFalse();
            assertThat(reply.body().path("message").asText()).contains(path.toString());
        }
        assertThat(get("/get_weight_version").body().path("weight_version").asText())
                .isEqualTo("default");
        assertThat(get("/model_info").body().path("weight_version").asText()).isEqualTo("default");
        assertThat(post("/generate", "{'input_ids': [5]}").status()).isEqualTo(200);
    }

    @Test
    void whilePausedNothingIsAnswered() throws Exception {
        assertThat(post("/pause_generation", "{'mode': 'retract'}").status()).isEqualTo(400);
        assertThat(post("/pause_generation", "{}").status()).isEqualTo(200);
        CompletableFuture<Reply> waiting = posting("/generate", "{'input_ids': [5]}");
        CompletableFuture<Reply> aborted = posting("/generate", "{'input_ids': [5]}");
        awaitWaiting(2);
        assertThat(post("/flush_cache", "").status()).as("requests pend").isEqualTo(400);

        post("/pause_generation", "{}");
        assertThat(aborted.join()
                        .body()
                        .path("meta_info")
                        .path("finish_reason")
                        .path("type")
                        .asText())
                .isEqualTo("abort");
        assertThat(waiting.join().body().path("output_ids")).isEmpty();
        assertThat(post("/flush_cache", "").status()).isEqualTo(200);
        CompletableFuture<Reply> afterwards = posting("/generate", "{'input_ids': [5]}");
        post("/continue_generation", "{}");
        assertThat(afterwards.join().body().path("output_ids")).isNotEmpty();
    }

    private static void awaitWaiting(int requests) throws InterruptedException {
        while (server.policy().waiting() < requests) {
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }

    @Test
    void itSaysThatItIsWellAndWhatItKnows() throws Exception {
        HttpResponse<String> health = CLIENT.send(to("/health").GET().build(), HttpResponse.BodyHandlers.ofString());
        assertThat(health.statusCode()).isEqualTo(200);
        assertThat(CLIENT.send(to("/health_generate").GET().build(), HttpResponse.BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(200);
        assertThat(get("/chat").status()).isEqualTo(404);
        assertThat(get("/chat").body().toString()).contains("/generate");
        assertThat(get("/generate").status()).isEqualTo(405);
    }
}
