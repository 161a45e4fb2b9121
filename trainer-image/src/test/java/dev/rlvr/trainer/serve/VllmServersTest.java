package dev.rlvr.trainer.serve;

import static dev.rlvr.trainer.serve.TrainedPolicy.assertEqual;
import static dev.rlvr.trainer.serve.TrainedPolicy.prompts;
import static dev.rlvr.trainer.serve.TrainedPolicy.streams;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.rollout.AnswerSource.Settings;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.rollout.server.Patience;
import dev.rlvr.trainer.rollout.server.Protocol;
import dev.rlvr.trainer.rollout.server.Role;
import dev.rlvr.trainer.rollout.server.RolloutServers;
import dev.rlvr.trainer.rollout.server.ServersLostException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The trainer's side of vLLM, against what stands in for it: {@code e2e/vllm} runs the real one. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class VllmServersTest {
    /** vLLM seeds the answers of one request by the first one's seed: one answer each is the policy's own. */
    private static final Settings ONE = new Settings(1, 1, 24);

    private static final Settings MANY = new Settings(18, 0.7, 24);

    @TempDir
    private Path folder;

    private final List<AutoCloseable> open = new ArrayList<>();
    private TrainedPolicy policy;
    private VllmStandIn vllm;

    @BeforeEach
    void start() throws IOException {
        policy = new TrainedPolicy(folder.resolve("base"));
        open.add(policy);
        vllm = server();
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private VllmStandIn server() throws IOException {
        VllmStandIn server = VllmStandIn.start(policy.model());
        open.add(server);
        return server;
    }

    private RolloutServers answers(Duration deadline, URI... urls) {
        RolloutServers answers = new RolloutServers(
                Protocol.VLLM,
                List.of(urls),
                Set.of(1),
                folder.resolve("weights"),
                "test",
                policy::export,
                Role.ALONE,
                new Patience(
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(5),
                        Duration.ofMillis(50),
                        Duration.ofMillis(10),
                        Duration.ofMillis(100),
                        deadline),
                () -> false);
        open.add(answers);
        ready(answers, 0);
        return answers;
    }

    private RolloutServers answers(URI... urls) {
        return answers(Duration.ofSeconds(20), urls);
    }

    private static void ready(RolloutServers answers, int step) {
        answers.weightsChanged(step);
        answers.open().close();
    }

    private static List<List<Sample>> sample(RolloutServers answers, Settings settings) throws InterruptedException {
        return answers.sample(prompts(), settings, streams());
    }

    private void assertSampledByThePolicy(RolloutServers answers) throws InterruptedException {
        assertEqual(sample(answers, ONE), policy.answers(ONE));
    }

    private void assertLost(String... words) {
        RolloutServers answers = answers(Duration.ofMillis(500), vllm.url());
        assertThatThrownBy(() -> sample(answers, ONE))
                .isInstanceOf(ServersLostException.class)
                .hasMessageContaining(vllm.url().toString())
                .hasMessageContainingAll(words);
    }

    @Test
    void afterEachUpdateTheServerAnswersWithTheNewWeights() throws Exception {
        RolloutServers answers = answers(vllm.url());
        assertSampledByThePolicy(answers);
        for (int step = 1; step <= 3; step++) {
            policy.change(100 + step);
            ready(answers, step);
            assertSampledByThePolicy(answers);
        }
        assertThat(vllm.count("/collective_rpc")).isEqualTo(4);
    }

    @Test
    void theNameIsSetLastOfAllSoThatNoNameIsOnWeightsThatAreNotWholeOrAServerThatWaits() throws Exception {
        RolloutServers answers = answers(vllm.url());
        sample(answers, ONE);

        assertThat(vllm.calls())
                .startsWith(
                        "/server_info?config_format=json",
                        "/pause?mode=abort",
                        "/update_weight_version",
                        "/collective_rpc",
                        "/reset_prefix_cache?reset_external=true",
                        "/resume",
                        "/update_weight_version",
                        VllmStandIn.GENERATE);
    }

    @Test
    void theAnswersOfOneRequestAreSeededByThePlaceAfterItsFirst() throws Exception {
        List<List<Sample>> samples = sample(answers(vllm.url()), MANY);

        assertEqual(samples, policy.answers(MANY, (prompt, answer) -> {
            int first = answer / 16 * 16; // a request's
            return SplitMix64.at(streams().of(prompt, first).state() + answer - first);
        }));
    }

    @Test
    void whereAnUpdateFailsTheOldNameIsGoneAndTheNextOneIsWhole() throws Exception {
        RolloutServers answers = answers(vllm.url());
        sample(answers, ONE);
        policy.change(101);
        ready(answers, 1);
        vllm.failReloads(2);

        assertSampledByThePolicy(answers);

        assertThat(vllm.count("/resume")).as("it does not stay paused").isEqualTo(4);
    }

    @Test
    void whatARestartedServerSaysIsNotTakenUntilItHasTheWeights() throws Exception {
        RolloutServers answers = answers(vllm.url());
        sample(answers, ONE);
        AtomicBoolean restarted = new AtomicBoolean();
        vllm.atGenerate(() -> {
            if (!restarted.getAndSet(true)) {
                vllm.rename("default"); // with what weights ever
            }
        });

        assertSampledByThePolicy(answers);

        assertThat(vllm.count("/collective_rpc")).isEqualTo(2);
    }

    @Test
    void anAnswerOfTwoWeightsIsNotTaken() throws Exception {
        RolloutServers answers = answers(vllm.url());
        AtomicBoolean changed = new AtomicBoolean();
        vllm.change(
                text -> changed.getAndSet(true)
                        ? text
                        : text.replaceFirst(
                                "\\{\"version\":\"step-0-test\",\"start\":0,",
                                "{\"version\":\"step-0-other\",\"start\":0,\"end\":1},{\"version\":\"step-0-test\",\"start\":1,"));

        assertSampledByThePolicy(answers);

        assertThat(vllm.count("/collective_rpc")).isEqualTo(2);
    }

    @Test
    void anAnswerThatDoesNotSayItsWeightsToTheLastTokenIsNotTaken() {
        vllm.change(text -> text.replaceAll("\"weight_versions\":\\[[^]]*]", "\"weight_versions\":null"));
        assertLost("sampled with weights unknown where step-0-test were asked for");
    }

    @Test
    void anAnswerThatTheServersOwnLimitCutIsNotTaken() {
        vllm.change(text -> text.replaceAll("\"finish_reason\":\"[a-z]*\"", "\"finish_reason\":\"length\""));
        assertLost("--max-model-len");
    }

    @Test
    void logProbabilitiesOfAnotherModeAreRefusedBeforeAnythingIsAsked() {
        vllm.logProbabilities("raw_logprobs");
        assertLost("raw_logprobs", "--logprobs-mode processed_logprobs");
        assertThat(vllm.count(VllmStandIn.GENERATE)).isZero();
    }

    @Test
    void aServerWithoutDevelopmentModeIsToldHowToStart() {
        vllm.without("/weight_info");
        assertLost("VLLM_SERVER_DEV_MODE=1");
    }

    @Test
    void aServerThatDiesIsReplacedByAnother() throws Exception {
        VllmStandIn second = server();
        RolloutServers answers = answers(vllm.url(), second.url());
        AtomicBoolean died = new AtomicBoolean();
        vllm.atGenerate(() -> {
            if (!died.getAndSet(true)) {
                vllm.close();
            }
        });

        assertSampledByThePolicy(answers);
    }
}
