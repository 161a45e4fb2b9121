package dev.rlvr.e2e.crd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.Kubectl;
import dev.rlvr.e2e.RealApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The CRD as its users meet it, through kubectl. */
@RealApiServer
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrdTest {
    private static final Path CRD = Path.of("../crds/rlvrjobs.rlvr.dev-v1.yaml");

    private final Kubectl kubectl;
    private final String namespace;

    private final AtomicInteger jobs = new AtomicInteger();

    @TempDir
    private Path folder;

    CrdTest(ApiServer server) {
        server.applyCrd();
        this.kubectl = server.kubectl();
        this.namespace = server.createNamespace("crd");
    }

    @Test
    void theFileAppliesAsItIsAndAnyNumberOfTimes() {
        // create keeps no annotation; the first apply after it writes one, the second has nothing to do
        assertThat(kubectl.run("apply", "-f", CRD.toString())).contains("rlvrjobs.rlvr.dev");
        assertThat(kubectl.run("apply", "-f", CRD.toString())).contains("unchanged");
    }

    @Test
    void theFileAppliesFromTheServersSideToo() {
        assertThat(kubectl.run("apply", "--server-side", "--force-conflicts", "-f", CRD.toString()))
                .contains("serverside-applied");
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(delimiter = '|', textBlock = """
                    {"spec":{"model":{"source":"file:///other"}}}           | spec.model
                    {"spec":{"data":{"shuffleSeed":1}}}                     | spec.data
                    {"spec":{"reward":{"verifier":"Numeric"}}}              | spec.reward
                    {"spec":{"algorithm":{"steps":7}}}                      | spec.algorithm
                    {"spec":{"rollout":{"maxResponseTokens":7}}}            | spec.rollout
                    {"spec":{"checkpoint":{"volume":{"size":"20Gi"}}}}      | spec.checkpoint.volume
                    {"spec":{"checkpoint":{"resumeFrom":"file:///old"}}}    | checkpoint.resumeFrom
                    """)
    void whatTheCheckpointsDependOnNeverChanges(String patch, String field) throws IOException {
        String job = create("lifecycle: {suspend: true}");

        Kubectl.Result answer = patch(job, patch);

        assertThat(answer.exitCode()).as(answer.output()).isEqualTo(1);
        assertThat(answer.output()).contains(field).contains("cannot change once the job exists");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"spec\":{\"trainer\":{\"threadsPerRank\":2}}}",
                "{\"spec\":{\"trainer\":{\"podTemplate\":{\"spec\":{\"hostNetwork\":true}}}}}",
                "{\"spec\":{\"checkpoint\":{\"everySteps\":2}}}",
                "{\"spec\":{\"evaluation\":[{\"name\":\"a\",\"source\":\"file:///a\"}]}}",
            })
    void whatAnAttemptIsStartedWithChangesOnlyWhileTheJobIsSuspended(String patch) throws IOException {
        String job = create("lifecycle: {suspend: false}");

        assertThat(patch(job, patch).output()).contains("can only change while the job is suspended");

        assertThat(patch(job, "{\"spec\":{\"lifecycle\":{\"suspend\":true}}}").exitCode())
                .isZero();
        assertThat(patch(job, patch).exitCode()).isZero();
        assertThat(patch(job, "{\"spec\":{\"lifecycle\":{\"suspend\":false}}}").exitCode())
                .isZero();
    }

    @Test
    void deadlinesAndBudgetsChangeAtAnyTime() throws IOException {
        String job = create("lifecycle: {suspend: false}");

        assertThat(patch(job, "{\"spec\":{\"lifecycle\":{\"activeDeadline\":\"2d\",\"restarts\":{\"user\":9}}}}")
                        .exitCode())
                .isZero();
    }

    @Test
    void operatorAndTrainerShareTheStatusWithoutTakingEachOthersFields() throws IOException {
        String job = create("lifecycle: {suspend: false}");
        String operator = """
                  state: Running
                  conditions:
                  - {type: Ready, status: "True", reason: Running, message: "step 12 of 30", lastTransitionTime: "2026-01-01T00:00:00Z"}
                """;
        String trainer = """
                  progress: {step: 12, totalSteps: 30, rewardMean: 0.66, entropyMean: 0.28, tokensPerSecond: 5321, updatedAt: "2026-01-01T00:00:00Z"}
                  checkpoint: {step: 10, path: checkpoints/step-000010, savedAt: "2026-01-01T00:00:00Z"}
                  evaluation:
                  - {name: greedy, step: 0, problems: 300, samples: 1, avgAtK: 0.34, passAtK: 0.34, majAtK: 0.34}
                """;

        applyStatus(job, "rlvr-operator", operator);
        applyStatus(job, "rlvr-trainer", trainer);
        applyStatus(job, "rlvr-operator", operator.replace("state: Running", "state: Restarting"));
        Kubectl.Result theft = tryApplyStatus(job, "rlvr-trainer", trainer + "  state: Failed\n");

        assertThat(theft.output()).contains("conflict with \"rlvr-operator\"").contains(".status.state");
        assertThat(kubectl.run("get", "rlvr", job, "-n", namespace).lines().toList())
                .satisfiesExactly(
                        titles ->
                                assertThat(titles).matches("NAME +STATE +STEP +REWARD +ENTROPY +TOK/S +RESTARTS +AGE"),
                        row -> assertThat(row).contains("Restarting", "12", "0.66", "0.28", "5321"));
        assertThat(kubectl.run("get", "rlvr", job, "-n", namespace, "-o", "wide"))
                .contains("MODEL", "KEPT", "CHECKPOINT", "file:///models/small", "HighestEntropy", "step 12 of 30");
    }

    @Test
    void aStatusThatTheTrainerLeavesOutIsItsOwnToRemove() throws IOException {
        String job = create("lifecycle: {suspend: false}");
        applyStatus(job, "rlvr-operator", "  state: Running\n");
        applyStatus(job, "rlvr-trainer", "  progress: {step: 1, totalSteps: 2, updatedAt: \"2026-01-01T00:00:00Z\"}\n");

        applyStatus(job, "rlvr-trainer", "  checkpoint: {step: 1, path: a, savedAt: \"2026-01-01T00:00:00Z\"}\n");

        assertThat(kubectl.run("get", "rlvr", job, "-n", namespace, "-o", "jsonpath={.status}"))
                .contains("\"checkpoint\"", "\"state\":\"Running\"")
                .doesNotContain("progress");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    rlvrjob                                       | where its state goes
                    rlvrjob.spec.algorithm.forkingTokens          | the highest entropy, where the model decides
                    rlvrjob.spec.algorithm.forkingTokens.fraction | Share of generated tokens to keep
                    rlvrjob.spec.trainer.sharding                 | ZeRO 0 to 3
                    rlvrjob.status.conditions                     | what a person has to do
                    """)
    void explainSaysWhatAFieldIsFor(String field, String text) {
        assertThat(kubectl.run("explain", field).replaceAll("\\s+", " ")).contains(text);
    }

    @Test
    void everyFieldIsDocumented() {
        assertThat(kubectl.run("explain", "rlvrjob.spec", "--recursive")).contains("forkingTokens", "podTemplate");
        for (String part : new String[] {"spec", "status"}) {
            Matcher fields = Pattern.compile("(?m)^  (\\w+)\t").matcher(kubectl.run("explain", "rlvrjob." + part));
            while (fields.find()) {
                String object = fields.group(1);
                assertThat(kubectl.run("explain", "rlvrjob." + part + "." + object))
                        .as(part + "." + object)
                        .doesNotContain("no description");
            }
        }
    }

    private String create(String fields) throws IOException {
        Path file = Files.createTempFile(folder, "job", ".yaml");
        String name = "job-" + jobs.incrementAndGet();
        Files.writeString(file, JobText.of(name, namespace, fields));
        kubectl.run("apply", "-f", file.toString());
        return name;
    }

    private Kubectl.Result patch(String job, String patch) {
        return kubectl.call("patch", "rlvr", job, "-n", namespace, "--type=merge", "-p", patch);
    }

    private void applyStatus(String job, String manager, String fields) throws IOException {
        Kubectl.Result result = tryApplyStatus(job, manager, fields);
        assertThat(result.exitCode()).as(result.output()).isZero();
    }

    private Kubectl.Result tryApplyStatus(String job, String manager, String fields) throws IOException {
        Path file = Files.createTempFile(folder, "status", ".yaml");
        Files.writeString(
                file,
                "apiVersion: rlvr.dev/v1alpha1\nkind: RLVRJob\nmetadata: {name: %s, namespace: %s}\nstatus:\n%s"
                        .formatted(job, namespace, fields));
        return kubectl.call(
                "apply", "--server-side", "--subresource=status", "--field-manager=" + manager, "-f", file.toString());
    }
}
