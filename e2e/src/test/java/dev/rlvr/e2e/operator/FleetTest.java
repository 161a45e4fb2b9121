package dev.rlvr.e2e.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.crds.Release;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.Kubectl;
import dev.rlvr.e2e.RealApiServer;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code examples/fleet}: what it says, and that applying it again writes nothing. */
@RealApiServer
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FleetTest {
    private static final String QUEUE = "fleet";

    private final ApiServer api;

    private final List<RLVRJob> fleet;

    FleetTest(ApiServer api) {
        this.api = api;
        this.fleet = jobs(".");
    }

    @ParameterizedTest
    @CsvSource({
        "fraction-10, HighestEntropy, 0.1",
        "fraction-20, HighestEntropy, 0.2",
        "fraction-50, HighestEntropy, 0.5",
        "fraction-100, HighestEntropy, 1",
        "bottom-80, LowestEntropy, 0.8",
        "random-20, Random, 0.2"
    })
    void aVariantUpdatesTheTokensOfItsName(String variant, ForkingTokens.Select select, double fraction) {
        List<RLVRJob> runs = fleet.stream()
                .filter(job -> variant.equals(label(job, "variant")))
                .toList();

        assertThat(runs)
                .allSatisfy(job -> {
                    ForkingTokens tokens = job.getSpec().algorithm().forkingTokens();
                    assertThat(tokens.select()).isEqualTo(select);
                    assertThat(tokens.fraction()).isEqualTo(fraction);
                })
                .extracting(job -> job.getMetadata().getName())
                .containsExactlyInAnyOrderElementsOf(Stream.of(0, 1, 2)
                        .map(seed -> "quickstart-%s-seed-%d".formatted(variant, seed))
                        .toList());
    }

    @Test
    void everyRunIsOneThatTrainsWithItsSeedInTheQueue() {
        assertThat(fleet).hasSize(Fleet.RUNS).allSatisfy(job -> {
            assertThat(Release.unsupported(job.getSpec())).isEmpty();
            assertThat(label(job, "kueue.x-k8s.io/queue-name")).isEqualTo(QUEUE);
            assertThat(job.getMetadata().getName()).endsWith("-seed-" + label(job, "seed"));
            assertThat(job.getSpec().algorithm().seed()).hasToString(label(job, "seed"));
            assertThat(job.getSpec().data().shuffleSeed()).hasToString(label(job, "seed"));
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void theRunsOfASeedAloneWaitForNoQueue(int seed) {
        assertThat(jobs("seeds/seed-" + seed))
                .hasSize(6)
                .noneMatch(job -> job.getMetadata().getLabels().containsKey("kueue.x-k8s.io/queue-name"))
                .allMatch(job -> label(job, "seed").equals(Integer.toString(seed)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--server-side", "--server-side=false"})
    void applyingItAgainWritesNothing(String side) throws InterruptedException {
        try (Scene scene = Scene.open(api, attempt -> new Ending.RunsOn());
                RunningOperator operator = RunningOperator.start(api, scene.namespace())) {
            Fleet runs = new Fleet(scene);
            runs.apply(side);
            runs.admit(QUEUE);
            runs.await("all run", job -> is(job, State.Running));
            Fleet.awaitIdle(operator);
            Map<String, String> versions = runs.versions();
            int writes = operator.writes().sent().size();

            List<String> said = runs.apply(side);

            Thread.sleep(3_000);
            assertThat(runs.versions()).isEqualTo(versions);
            assertThat(operator.writes().sent()).hasSize(writes);
            assertThat(said).hasSize(Fleet.RUNS);
            // server-side apply always says serverside-applied
            if (side.equals("--server-side=false")) {
                assertThat(said).allMatch(line -> line.endsWith(" unchanged"));
            }
        }
    }

    @Test
    void kubectlWaitsForTheEnd() {
        try (Scene scene = Scene.open(api, attempt -> new Ending.Succeeds());
                RunningOperator _ = RunningOperator.start(api, scene.namespace())) {
            Fleet runs = new Fleet(scene);
            runs.apply();
            runs.admit(QUEUE);

            Kubectl.Result complete = wait(scene, "Complete", "180s");

            assertThat(complete.exitCode()).as(complete.output()).isZero();
            assertThat(complete.output().lines()).hasSize(Fleet.RUNS);
            assertThat(runs.runs()).allMatch(job -> is(job, State.Succeeded));
            assertThat(wait(scene, "Failed", "0s").exitCode()).isEqualTo(1);
        }
    }

    private static Kubectl.Result wait(Scene scene, String condition, String timeout) {
        return scene.api()
                .kubectl()
                .call(
                        "wait",
                        "rlvr",
                        "-l",
                        "app.kubernetes.io/part-of=fleet",
                        "-n",
                        scene.namespace(),
                        "--for=condition=" + condition,
                        "--timeout=" + timeout);
    }

    private static boolean is(RLVRJob job, State state) {
        return job.getStatus() != null && job.getStatus().state() == state;
    }

    private List<RLVRJob> jobs(String folder) {
        return Fleet.render(api.kubectl(), folder).stream()
                .map(text -> Manifest.parse(text, folder))
                .toList();
    }

    private static String label(RLVRJob job, String name) {
        return job.getMetadata().getLabels().get(name);
    }
}
