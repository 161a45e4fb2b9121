package dev.rlvr.trainer.serve;

import static dev.rlvr.trainer.serve.TrainedPolicy.assertEqual;
import static dev.rlvr.trainer.serve.TrainedPolicy.prompts;
import static dev.rlvr.trainer.serve.TrainedPolicy.streams;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.trainer.model.Drawing;
import dev.rlvr.trainer.rollout.AnswerSource.Settings;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.rollout.StoppedException;
import dev.rlvr.trainer.rollout.server.Patience;
import dev.rlvr.trainer.rollout.server.Protocol;
import dev.rlvr.trainer.rollout.server.Role;
import dev.rlvr.trainer.rollout.server.RolloutServers;
import dev.rlvr.trainer.rollout.server.ServersLostException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The trainer's side of rollout servers, with real servers in this process and wires to them that misbehave. */
@Tag("slow")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class RolloutServersTest {
    private static final Settings SETTINGS = new Settings(4, 1, 24);

    @TempDir
    private Path folder;

    private final AtomicBoolean stopped = new AtomicBoolean();
    private final List<AutoCloseable> open = new ArrayList<>();
    private TrainedPolicy policy;
    private Wire first;
    private Wire second;

    @BeforeEach
    void start() throws IOException {
        policy = new TrainedPolicy(folder.resolve("base"));
        first = new Wire(server().url());
        second = new Wire(server().url());
        open.add(first);
        open.add(second);
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
        policy.close();
    }

    private LocalServer server() throws IOException {
        LocalServer server = LocalServer.start(policy.model());
        server.policy().config();
        open.add(server);
        return server;
    }

    private RolloutServers answers(Wire... wires) {
        return answers(Duration.ofSeconds(20), wires);
    }

    private RolloutServers answers(Duration deadline, Wire... wires) {
        return answers(Role.ALONE, deadline, wires);
    }

    private RolloutServers answers(Role role, Duration deadline, Wire... wires) {
        List<URI> urls = Arrays.stream(wires).map(Wire::url).toList();
        RolloutServers answers = new RolloutServers(
                Protocol.SGLANG,
                urls,
                Set.of(1),
                folder.resolve("weights"),
                "test",
                role == Role.OTHER ? _ -> {} : policy::export,
                role,
                new Patience(
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(5),
                        Duration.ofMillis(50),
                        Duration.ofMillis(10),
                        Duration.ofMillis(100),
                        deadline),
                stopped::get);
        ready(answers, 0);
        open.add(answers);
        return answers;
    }

    /** The weights are those after so many steps, and are written. */
    private static void ready(RolloutServers answers, int step) {
        answers.weightsChanged(step);
        answers.open().close();
    }

    private void assertSampledByThePolicy(List<List<Sample>> samples) {
        assertEqual(samples, policy.answers(SETTINGS));
    }

    @Test
    void serversGiveTheVeryAnswersOfTheEmbeddedSampler() throws Exception {
        RolloutServers answers = answers(first, second);

        for (Drawing drawing : List.of(new Drawing(1, 1, 0), new Drawing(0.7, 0.9, 20), new Drawing(0, 1, 0))) {
            Settings settings = new Settings(drawing.temperature() == 0 ? 1 : 18, drawing, 30);
            assertEqual(answers.sample(prompts(), settings, streams()), policy.answers(settings));
        }
        assertThat(first.count("/generate")).isPositive();
        assertThat(second.count("/generate")).isPositive();
        assertThat(first.count("/update_weights_from_disk")).isOne();
    }

    @Test
    void afterAnUpdateAllServersAnswerWithTheNewWeights() throws Exception {
        RolloutServers answers = answers(first, second);
        List<List<Sample>> before = answers.sample(prompts(), SETTINGS, streams());
        for (int step = 1; step <= 3; step++) {
            policy.change(100 + step);
            ready(answers, step);
            assertSampledByThePolicy(answers.sample(prompts(), SETTINGS, streams()));
        }
        assertThat(policy.answers(SETTINGS).getFirst().getFirst().tokens())
                .isNotEqualTo(before.getFirst().getFirst().tokens());
        assertThat(first.count("/update_weights_from_disk")).isEqualTo(4);
        try (var versions = Files.list(folder.resolve("weights"))) {
            assertThat(versions.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder("version-2", "version-3");
        }
        answers.close();
        assertThat(folder.resolve("weights")).doesNotExist();
    }

    @Test
    void answersSampledWithOtherWeightsAreNotTaken() throws Exception {
        RolloutServers answers = answers(first, second);
        first.change(text -> text.replace("step-0-test", "step-0-other"));
        second.slow(Duration.ofMillis(300));

        assertSampledByThePolicy(answers.sample(prompts(), SETTINGS, streams()));

        assertThat(first.count("/update_weights_from_disk"))
                .as("it says that it has the weights, but is not believed")
                .isGreaterThan(1);
    }

    @Test
    void whereOnlyLiarsAreLeftTheRunEndsAndNamesThem() {
        RolloutServers answers = answers(Duration.ofSeconds(2), first);
        first.change(text -> text.replace("step-0-test", "step-0-other"));

        assertThatThrownBy(() -> answers.sample(prompts(), SETTINGS, streams()))
                .isInstanceOf(ServersLostException.class)
                .hasMessageContaining(
                        first.url() + ": sampled with weights step-0-other where step-0-test were asked for")
                .hasMessageContaining("spec.rollout.servers");
    }

    @Test
    void serversThatAreNotThereAreNamed() {
        RolloutServers answers = answers(Duration.ofMillis(300), first, second);
        first.close();
        second.close();

        assertThatThrownBy(() -> answers.sample(prompts(), SETTINGS, streams()))
                .isInstanceOf(ServersLostException.class)
                .hasMessageContainingAll(first.url().toString(), second.url().toString(), "ConnectException");
    }

    private void theFirstIsAskedFirst() {
        CountDownLatch asked = new CountDownLatch(1);
        first.atGenerate(asked::countDown);
        second.atGenerate(() -> {
            try {
                asked.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    @Test
    void whatAServerThatDiesHadBegunIsAnsweredByAnother() throws Exception {
        RolloutServers answers = answers(first, second);
        theFirstIsAskedFirst();
        first.slow(Duration.ofSeconds(30)); // it has requests for certain when it dies
        List<List<Sample>> samples = new ArrayList<>();
        for (int p = 0; p < TrainedPolicy.PROMPTS; p++) {
            samples.add(
                    new ArrayList<>(Collections.nCopies(4, new Sample(new int[0], new float[0], new float[0], false))));
        }
        AtomicBoolean died = new AtomicBoolean();

        answers.sample(prompts(), SETTINGS, streams(), (prompt, answer, sample) -> {
            if (!died.getAndSet(true)) {
                first.close();
            }
            samples.get(prompt).set(answer, sample);
        });

        assertSampledByThePolicy(samples);
    }

    @Test
    void aSlowServerDoesNotHoldTheBatch() throws Exception {
        RolloutServers answers = answers(first, second);
        theFirstIsAskedFirst();
        first.slow(Duration.ofSeconds(40));
        long start = System.nanoTime();

        List<List<Sample>> samples = answers.sample(prompts(), SETTINGS, streams());

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(25));
        assertSampledByThePolicy(samples);
    }

    @Test
    void aRestartedServerGetsTheWeightsBeforeItIsUsed() throws Exception {
        RolloutServers answers = answers(first);
        answers.sample(prompts(), SETTINGS, streams());

        first.leadTo(server().url());
        assertSampledByThePolicy(answers.sample(prompts(), SETTINGS, streams()));

        assertThat(first.count("/update_weights_from_disk")).isEqualTo(2);
    }

    @Test
    void ranksShareServersThatOnlyTheFirstGivesWeightsTo() throws Exception {
        RolloutServers leading = answers(Role.FIRST, Duration.ofSeconds(20), first, second);
        RolloutServers other = answers(Role.OTHER, Duration.ofSeconds(20), first, second);
        for (int step = 0; step < 3; step++) {
            if (step > 0) {
                policy.change(100 + step);
                ready(leading, step);
                ready(other, step);
            }
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                Future<List<List<Sample>>> theirs = threads.submit(() -> other.sample(prompts(), SETTINGS, streams()));
                List<List<Sample>> ours = leading.sample(prompts(), SETTINGS, streams());
                List<List<Sample>> expected = policy.answers(SETTINGS);
                assertEqual(ours, expected);
                assertEqual(theirs.get(), expected);
            }
        }
        assertThat(first.count("/update_weights_from_disk")).isEqualTo(3);
        assertThat(second.count("/update_weights_from_disk")).isEqualTo(3);
        assertThat(first.count("/abort_request")).as("they may be the other's").isZero();
        other.close();
        assertThat(folder.resolve("weights")).exists();
    }

    @Test
    void aServerThatRestartsWhenTheFirstRankHasNothingMoreToAskGetsTheWeightsFromItAllTheSame() throws Exception {
        RolloutServers leading = answers(Role.FIRST, Duration.ofSeconds(20), first);
        RolloutServers other = answers(Role.OTHER, Duration.ofSeconds(20), first);
        leading.sample(List.of(), SETTINGS, streams());
        assertSampledByThePolicy(other.sample(prompts(), SETTINGS, streams()));

        first.leadTo(server().url());
        assertSampledByThePolicy(other.sample(prompts(), SETTINGS, streams()));

        assertThat(first.count("/update_weights_from_disk")).isEqualTo(2);
    }

    @Test
    void aSickServerIsLeftOutUntilItIsWell() throws Exception {
        RolloutServers answers = answers(first, second);
        first.sickFor(Integer.MAX_VALUE);
        assertSampledByThePolicy(answers.sample(prompts(), SETTINGS, streams()));
        assertThat(first.count("/generate")).isZero();

        first.sickFor(0);
        second.close();
        assertSampledByThePolicy(answers.sample(prompts(), SETTINGS, streams()));
        assertThat(first.count("/generate")).isPositive();
    }

    @Test
    void whatAServerHasBegunBeforeItFellSickIsNotWaitedFor() throws Exception {
        RolloutServers answers = answers(first);
        first.slow(Duration.ofSeconds(40));
        AtomicBoolean fell = new AtomicBoolean();
        first.atGenerate(() -> {
            if (!fell.getAndSet(true)) {
                first.sickFor(5);
            }
        });
        long start = System.nanoTime();

        List<List<Sample>> samples = answers.sample(prompts(), SETTINGS, streams());

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(25));
        assertSampledByThePolicy(samples);
    }

    @Test
    void aStopIsSeenWhileAnswersAreWaitedFor() {
        RolloutServers answers = answers(first);
        first.slow(Duration.ofSeconds(40));
        first.atGenerate(() -> stopped.set(true));

        assertThatThrownBy(() -> answers.sample(prompts(), SETTINGS, streams())).isInstanceOf(StoppedException.class);
    }
}
