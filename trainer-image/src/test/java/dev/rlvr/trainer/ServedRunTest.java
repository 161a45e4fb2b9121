package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.serve.VllmStandIn;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A job whose answers come from a real server process. */
@Tag("slow")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ServedRunTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    /** A server and the URL that it says it listens at. */
    private record Server(Process process, String url) {
        static Server start() throws IOException {
            Process process = SmallJob.java(
                            "dev.rlvr.trainer.serve.Serve",
                            "--model",
                            SmallJob.BUNDLED.resolve("quickstart/model").toString(),
                            "--port",
                            "0",
                            "--threads",
                            "1")
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
            String line = String.valueOf(out.readLine());
            assertThat(line).startsWith("serving ").contains(" at http://127.0.0.1:");
            return new Server(process, line.substring(line.indexOf("http://")));
        }

        JsonNode post(String path, String body) throws IOException, InterruptedException {
            try (HttpClient client = HttpClient.newHttpClient()) {
                HttpResponse<String> reply = client.send(
                        HttpRequest.newBuilder(URI.create(url + path))
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                return JSON.readTree(reply.body());
            }
        }
    }

    @Test
    void answersOfVllmAreThePolicys() throws Exception {
        try (VllmStandIn vllm = VllmStandIn.start(SmallJob.BUNDLED.resolve("quickstart/model"))) {
            SmallJob job = SmallJob.in(folder.resolve("vllm"), 3, "", "")
                    .withVllm(vllm.url().toString())
                    .run();

            assertThat(job.metrics())
                    .hasSize(3)
                    .allSatisfy(line -> assertThat(JSON.readTree(line)
                                    .path("sampling/logprob_diff_mean")
                                    .asDouble())
                            .isBetween(0.0, 1e-5));
        }
    }

    @Test
    void answersOfOldWeightsUnderTheNewNameAreNotTrainedOn() throws Exception {
        try (VllmStandIn vllm = VllmStandIn.start(SmallJob.BUNDLED.resolve("quickstart/model"))) {
            vllm.keepWeights();
            SmallJob job = SmallJob.in(folder.resolve("vllm"), 3, "", "")
                    .withVllm(vllm.url().toString());

            assertThatThrownBy(job::run)
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll(
                            "spec.rollout.engine: Vllm", "not from the weights after step 1", "nats", "F32");
            assertThat(job.metrics()).as("what it has started with was right").hasSize(1);
        }
    }

    @Test
    void aJobLearnsTheSameFromAServerAsFromItsOwnSampler() throws Exception {
        SmallJob embedded = SmallJob.in(folder.resolve("embedded"), 3, "", "").run();
        Server server = Server.start();
        try {
            SmallJob served = SmallJob.in(folder.resolve("served"), 3, "", "")
                    .withServer(server.url(), 0)
                    .run();

            assertSteps(served, embedded, 1e-5, "loss", "kl", "entropy", "entropy_threshold");
            assertThat(server.post("/get_weight_version", "")
                            .path("weight_version")
                            .asText())
                    .as("after the last step nothing was sampled")
                    .startsWith("step-2-");
            assertThat(served.work().resolve("rollout-weights")).doesNotExist();

            server.process().destroy();
            assertThat(server.process().waitFor()).isZero();
        } finally {
            server.process().destroyForcibly();
        }
    }

    @Test
    void batchesSampledAheadComeFromThePolicyOneStepBeforeAndGiveTheSameEachTime() throws Exception {
        Server server = Server.start();
        try {
            SmallJob first = SmallJob.in(folder.resolve("first"), 4, "", "")
                    .withServer(server.url(), 1)
                    .run();
            SmallJob second = SmallJob.in(folder.resolve("second"), 4, "", "")
                    .withServer(server.url(), 1)
                    .run();

            for (int step = 0; step < 4; step++) {
                JsonNode metrics = JSON.readTree(first.metrics().get(step));
                assertThat(metrics.path("sampling/staleness").asInt()).isEqualTo(step == 0 ? 0 : 1);
                double importance = metrics.path("sampling/importance_mean").asDouble();
                if (step == 0) {
                    assertThat(importance).isEqualTo(1);
                } else {
                    assertThat(importance).isNotEqualTo(1).isCloseTo(1, within(0.2));
                }
                String line = Files.readAllLines(first.work().resolve("rollouts/step-00000" + (step + 1) + ".jsonl"))
                        .getFirst();
                assertThat(JSON.readTree(line).path("policy_step").asInt()).isEqualTo(Math.max(0, step - 1));
                // which answers a server batches depends on time, and with it the last bits
                JsonNode again = JSON.readTree(second.metrics().get(step));
                for (String metric : List.of("reward", "num_tokens", "loss", "sampling/importance_mean")) {
                    assertThat(again.path(metric).asDouble())
                            .as("%s of step %s", metric, step)
                            .isCloseTo(metrics.path(metric).asDouble(), within(1e-4));
                }
            }
        } finally {
            server.process().destroyForcibly();
        }
    }

    @Test
    void twoRanksAndOneLearnTheSameFromTheSameServerAlsoAhead() throws Exception {
        Server server = Server.start();
        try {
            SmallJob one = SmallJob.in(folder.resolve("one"), 3, "", "")
                    .withServer(server.url(), 1)
                    .run();
            SmallJob two = SmallJob.in(folder.resolve("two"), 3, "", ", ranksPerReplica: 2, sharding: Parameters")
                    .withOwnServers(1);
            Process launcher = two.start(Map.of("RLVR_SERVERS", server.url()));
            assertThat(launcher.waitFor())
                    .as(Files.readString(two.work().resolveSibling("log.txt")))
                    .isZero();

            assertSteps(two, one, 1e-4, "loss", "grad_norm", "entropy", "entropy_threshold");
            assertClose(weights(two), weights(one));
            assertThat(two.work().resolve("rollout-weights")).doesNotExist();
        } finally {
            server.process().destroyForcibly();
        }
    }

    /** The same rewards and numbers of tokens in all three steps, and other figures as close as this. */
    private static void assertSteps(SmallJob actual, SmallJob expected, double tolerance, String... metrics)
            throws IOException {
        for (int step = 0; step < 3; step++) {
            JsonNode theirs = JSON.readTree(actual.metrics().get(step));
            JsonNode known = JSON.readTree(expected.metrics().get(step));
            assertThat(theirs.path("reward")).isEqualTo(known.path("reward"));
            assertThat(theirs.path("num_tokens")).isEqualTo(known.path("num_tokens"));
            for (String metric : metrics) {
                assertThat(theirs.path(metric).asDouble())
                        .as("%s of step %s", metric, step)
                        .isCloseTo(known.path(metric).asDouble(), within(tolerance));
            }
        }
    }

    /** All weights of the trained model, in the order of the file. */
    private static FloatBuffer weights(SmallJob job) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(job.finalWeights()).order(ByteOrder.LITTLE_ENDIAN);
        int header = Math.toIntExact(file.getLong());
        return file.position(Long.BYTES + header)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
    }

    private static void assertClose(FloatBuffer actual, FloatBuffer expected) {
        assertThat(actual.remaining()).isEqualTo(expected.remaining()).isGreaterThan(100_000);
        double furthest = 0;
        for (int i = 0; i < expected.remaining(); i++) {
            furthest = Math.max(furthest, Math.abs(actual.get(i) - expected.get(i)));
        }
        assertThat(furthest).isLessThan(1e-4);
    }
}
