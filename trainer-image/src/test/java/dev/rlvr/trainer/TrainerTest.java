package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.model.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the algorithm promises, on the quickstart's real model. */
class TrainerTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    private SmallJob job(String name, int steps, String algorithm, String trainer) throws IOException {
        return SmallJob.in(folder.resolve(name), steps, algorithm, trainer);
    }

    @Test
    void aFractionOfOneGivesTheVeryWeightsOfSelectAll() throws Exception {
        SmallJob one = job("one", 3, "forkingTokens: {fraction: 1.0}", "").run();
        SmallJob all = job("all", 3, "forkingTokens: {select: All}", "").run();
        SmallJob fifth = job("fifth", 3, "forkingTokens: {fraction: 0.2}", "").run();

        assertThat(one.finalWeights()).isEqualTo(all.finalWeights());
        assertThat(one.finalWeights()).isNotEqualTo(fifth.finalWeights());
    }

    @Test
    void aCheckpointIsAModelByItself() throws Exception {
        job("saved", 1, "forkingTokens: {fraction: 0.2}", "").run();

        Path checkpoint = folder.resolve("saved/work/checkpoints/step-000001");
        ModelFolder saved = ModelFolder.open(checkpoint);
        assertThat(saved.config())
                .isEqualTo(ModelFolder.open(folder.resolve("saved/work/model")).config());
        assertThat(checkpoint.resolve("tokenizer.json"))
                .hasSameBinaryContentAs(folder.resolve("saved/work/model/tokenizer.json"));
        assertThat(checkpoint.resolve("manifest.json")).content().contains("tokenizer.json", "config.json");
    }

    @Test
    void theShareKeptIsTheShareAskedForAndItIsTheUncertainShare() throws Exception {
        SmallJob highest =
                job("highest", 2, "forkingTokens: {fraction: 0.2}", "").run();
        SmallJob lowest = job("lowest", 2, "forkingTokens: {select: LowestEntropy, fraction: 0.8}", "")
                .run();
        SmallJob random = job("random", 2, "forkingTokens: {select: Random, fraction: 0.5}", "")
                .run();

        assertKept(highest, 0.2);
        assertKept(lowest, 0.8);
        assertKept(random, 0.5);
        assertThat(meanEntropyOfKept(highest)).isGreaterThan(10 * meanEntropyOfKept(lowest));
    }

    @Test
    void aThresholdKeepsWhatLiesAboveIt() throws Exception {
        SmallJob threshold = job("threshold", 2, "forkingTokens: {entropyThreshold: 0.3}", "")
                .run();

        for (JsonNode step : lines(threshold)) {
            assertThat(step.path("entropy_threshold").asDouble()).isGreaterThanOrEqualTo(0.3);
            assertThat(step.path("kept_token_fraction").asDouble()).isBetween(0.02, 0.3);
        }
    }

    @Test
    void microBatchesDoNotChangeTheUpdate() throws Exception {
        List<JsonNode> whole = lines(job("whole", 2, "", "").run());
        List<JsonNode> parts =
                lines(job("parts", 2, "", ", microBatchTokens: 300").run());

        for (String metric : List.of("loss", "grad_norm", "entropy_threshold", "kl")) {
            double expected = whole.getFirst().path(metric).asDouble();
            assertThat(parts.getFirst().path(metric).asDouble())
                    .as(metric)
                    .isCloseTo(expected, within(1e-5 + 1e-4 * Math.abs(expected)));
        }
        assertThat(whole.get(1).path("reward")).isEqualTo(parts.get(1).path("reward"));
    }

    @Test
    void computingLayersAgainGivesTheVerySameWeights() throws Exception {
        byte[] never = job("never", 2, "", ", microBatchTokens: 300, recomputation: Never")
                .run()
                .finalWeights();
        byte[] always = job("always", 2, "", ", microBatchTokens: 300, recomputation: Always")
                .run()
                .finalWeights();

        assertThat(always).isEqualTo(never);
    }

    @Test
    void theShareCanBeTakenOfEachSequenceOrOfEachMicroBatch() throws Exception {
        SmallJob sequence = job("sequence", 1, "forkingTokens: {fraction: 0.2, scope: Sequence}", "")
                .run();
        SmallJob microBatch = job(
                        "micro", 1, "forkingTokens: {fraction: 0.2, scope: MicroBatch}", ", microBatchTokens: 300")
                .run();

        for (String line : Files.readAllLines(sequence.work().resolve("rollouts/step-000001.jsonl"))) {
            JsonNode kept = JSON.readTree(line).path("kept");
            long count = java.util.stream.StreamSupport.stream(kept.spliterator(), false)
                    .filter(JsonNode::asBoolean)
                    .count();
            if (count > 0) { // groups without a signal take no part
                assertThat(count).isEqualTo((long) Math.ceil(0.2 * kept.size() - 1e-9));
            }
        }
        assertThat(lines(microBatch).getFirst().path("kept_token_fraction").asDouble())
                .isBetween(0.2, 0.22);
    }

    @Test
    void rolloutEntropiesSelectTheSameTokensWhileThePolicyIsTheSame() throws Exception {
        JsonNode current =
                lines(job("current", 1, "", "").withOneUpdatePerStep().run()).getFirst();
        JsonNode rollout = lines(job("rollout", 1, "forkingTokens: {entropyFrom: Rollout}", "")
                        .withOneUpdatePerStep()
                        .run())
                .getFirst();

        assertThat(rollout.path("loss").asDouble())
                .isCloseTo(current.path("loss").asDouble(), within(1e-5));
        assertThat(rollout.path("grad_norm").asDouble())
                .isCloseTo(current.path("grad_norm").asDouble(), within(1e-3));
    }

    @Test
    void bf16StartsWhereF32Starts() throws Exception {
        JsonNode f32 = lines(job("f32", 1, "", "").run()).getFirst();
        JsonNode bf16 = lines(job("bf16", 1, "", ", precision: BF16").run()).getFirst();

        for (String metric : List.of("entropy", "grad_norm", "reward")) {
            double expected = f32.path(metric).asDouble();
            assertThat(bf16.path(metric).asDouble()).as(metric).isCloseTo(expected, within(0.25 * Math.abs(expected)));
        }
        assertThat(bf16.path("kl").asDouble()).isLessThan(1e-2);
    }

    @Test
    void theDenominatorOfAllTokensMakesTheLossFiveTimesSmaller() throws Exception {
        JsonNode kept = lines(
                        job("kept", 1, "forkingTokens: {denominator: Kept}", "").run())
                .getFirst();
        JsonNode all = lines(
                        job("all", 1, "forkingTokens: {denominator: All}", "").run())
                .getFirst();

        double ratio = kept.path("loss").asDouble() / all.path("loss").asDouble();
        assertThat(ratio).isBetween(3.0, 8.0);
    }

    @Test
    void samplerAndTrainerAgreeOnTheFirstUpdate() throws Exception {
        JsonNode first =
                lines(job("agree", 1, "", "").withOneUpdatePerStep().run()).getFirst();

        assertThat(first.path("kl").asDouble()).isLessThan(1e-8);
        assertThat(first.path("clip_ratio/low_mean").asDouble()).isZero();
    }

    private static void assertKept(SmallJob job, double fraction) throws IOException {
        for (JsonNode step : lines(job)) {
            assertThat(step.path("kept_token_fraction").asDouble()).isCloseTo(fraction, within(0.005));
        }
    }

    private static double meanEntropyOfKept(SmallJob job) throws IOException {
        double sum = 0;
        int count = 0;
        for (String line : Files.readAllLines(job.work().resolve("rollouts/step-000001.jsonl"))) {
            JsonNode sample = JSON.readTree(line);
            assertThat(sample.path("kept").size())
                    .as("one flag per response token: prompts and padding have none")
                    .isEqualTo(sample.path("token_ids").size());
            for (int i = 0; i < sample.path("kept").size(); i++) {
                if (sample.path("kept").get(i).asBoolean()) {
                    sum += sample.path("entropies").get(i).asDouble();
                    count++;
                }
            }
        }
        return sum / count;
    }

    private static List<JsonNode> lines(SmallJob job) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : job.metrics()) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }
}
