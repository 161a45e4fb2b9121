package dev.rlvr.bench.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rlvr.bench.scaling.Hardware.HostWork;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.Precision;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StepTimeModelTest {
    private static final HostWork NO_HOST = new HostWork(0, 0);
    private static final HostWork HOST = new HostWork(1e-7, 1e-6);
    private static final List<Integer> SIZES = List.of(1, 2, 8, 16, 96, 1024);

    private static Job job(Sharding sharding) {
        return Models.job(Models.qwen8b(), sharding).withPrompts(64, 16);
    }

    private static Job equalAnswers(int prompts) {
        return new Job(
                Models.qwen8b(),
                Precision.BF16,
                prompts,
                16,
                prompts,
                200,
                new Lengths(1000, 0, 1000, 0),
                32_768,
                0.2,
                Sharding.Parameters,
                Precision.F32,
                10,
                0);
    }

    private static Result today(Job job, Hardware hardware, int ranks) {
        return new StepTimeModel(job, hardware, Design.TODAY, ranks).result();
    }

    @ParameterizedTest
    @EnumSource(Sharding.class)
    void oneRankNeitherSendsNorWaits(Sharding sharding) {
        Result result = today(job(sharding), Hardware.h100(HOST), 1);
        assertThat(result.exposed()).isZero();
        assertThat(result.hidden()).isZero();
        assertThat(result.imbalance()).isCloseTo(0, within(1e-9 * result.step()));
    }

    @ParameterizedTest
    @EnumSource(Sharding.class)
    void fasterLinksNeverSlowAStep(Sharding sharding) {
        Hardware hardware = Hardware.h100(HOST);
        for (int ranks : SIZES) {
            Result slow = today(job(sharding), hardware, ranks);
            Result fast = today(job(sharding), hardware.withLinks(2), ranks);
            assertThat(fast.step()).isLessThanOrEqualTo(slow.step());
            assertThat(fast.exposed() + fast.hidden()).isLessThanOrEqualTo(slow.exposed() + slow.hidden());
        }
    }

    @ParameterizedTest
    @EnumSource(Sharding.class)
    void noRankComputesForLongerThanTheStep(Sharding sharding) {
        for (Design design : List.of(Design.TODAY, Design.PROPOSED)) {
            for (int ranks : SIZES) {
                Result result = new StepTimeModel(job(sharding), Hardware.h100(HOST), design, ranks).result();
                assertThat(result.efficiency()).isPositive().isLessThanOrEqualTo(1);
                assertThat(List.of(result.imbalance(), result.exposed(), result.hidden(), result.checkpoint()))
                        .allMatch(seconds -> seconds >= 0);
            }
        }
    }

    @Test
    void answersOfOneLengthThatDivideEvenlyLeaveNobodyWaiting() {
        assertThat(today(equalAnswers(64), Hardware.h100(NO_HOST), 8).imbalance())
                .isCloseTo(0, within(1e-9));
        assertThat(today(equalAnswers(64), Hardware.h100(NO_HOST), 11).imbalance())
                .isPositive();
    }

    @Test
    void ranksBeyondThePromptsHaveAnswersOfOthersPrompts() {
        Job job = equalAnswers(64);
        Hardware hardware = Hardware.h100(NO_HOST);
        Design whole = new Design(1, false, Dealing.PROMPTS_IN_TURN, false, false);
        assertThat(new StepTimeModel(job, hardware, whole, 64).result().limits())
                .doesNotContain("ranks without an answer");
        assertThat(new StepTimeModel(job, hardware, whole, 128).result().limits())
                .contains("ranks without an answer");
        assertThat(today(job, hardware, 128).limits()).doesNotContain("ranks without an answer");
    }

    @ParameterizedTest
    @EnumSource(Dealing.class)
    void eachAnswerFallsToOneRank(Dealing dealing) {
        Lengths.Batch batch = new Lengths(4000, 1, 20_480, 0.5).draw(32, 16, new Random(7));
        for (int ranks : List.of(1, 7, 64)) {
            assertThat(dealing.shares(batch, ranks)).hasSize(ranks);
            assertThat(dealing.shares(batch, ranks).stream()
                            .flatMap(List::stream)
                            .sorted())
                    .containsExactlyElementsOf(IntStream.range(0, 512).boxed().toList());
        }
    }

    @Test
    void theMoreIsKnownOfTheLengthsTheSoonerTheSlowestRankIsDone() {
        Job job = Models.job(Models.qwen8b(), Sharding.Parameters).withPrompts(128, 32);
        Idling idling = new Idling("", job, Hardware.h100(NO_HOST), 9);
        Idling.Waiting prompts = idling.of(Dealing.PROMPTS_IN_TURN, 8);
        Idling.Waiting answers = idling.of(Dealing.ANSWERS_IN_TURN, 8);
        Idling.Waiting expected = idling.of(Dealing.BY_EXPECTED_LENGTH, 8);
        Idling.Waiting known = idling.of(Dealing.BY_LENGTH, 8);
        assertThat(answers.idle()).isLessThan(0.6 * prompts.idle());
        assertThat(known.idle()).isLessThan(0.6 * expected.idle());
        assertThat(List.of(known, expected, answers, prompts))
                .isSortedAccordingTo(Comparator.comparingDouble(Idling.Waiting::slowest));
        assertThat(idling.of(Dealing.BY_EXPECTED_LENGTH, 1).idle()).isZero();
    }

    @Test
    void oneAnswerTakesAColumnForEachOfItsTokens() {
        Hardware hardware = Hardware.h100(NO_HOST);
        Sampling sampling = new Sampling(equalAnswers(1), hardware, Design.TODAY, 4);
        double thousand = sampling.seconds(new int[] {1000});
        // weights are read once for each; caches and the prompt add some
        double weights = 2 * new Operations(Models.qwen8b()).decoder() / hardware.memoryBandwidth();
        assertThat(thousand).isBetween(1000 * weights, 1.3 * 1000 * weights);
        // a row that ends early leaves the rest to the longest
        assertThat(sampling.seconds(new int[] {1000, 10})).isBetween(thousand, 1.02 * thousand);
        // four rows at a time: eight equal answers take two turns
        int[] eight = new int[8];
        Arrays.fill(eight, 1000);
        assertThat(sampling.seconds(eight))
                .isCloseTo(2 * sampling.seconds(Arrays.copyOf(eight, 4)), within(0.02 * thousand));
    }

    @Test
    void aModelTooLargeForOneRankIsSampledByFour() {
        Job job = Models.job(Models.qwen32b(), Sharding.Parameters);
        Hardware hardware = Hardware.h100(NO_HOST);
        assertThat(new StepTimeModel(job, hardware, Design.PROPOSED, 64)
                        .result()
                        .missing())
                .containsExactly("no answer fits beside the weights");
        assertThat(new StepTimeModel(job, hardware, Design.PROPOSED.samplingTogether(4), 64)
                        .result()
                        .missing())
                .isEmpty();
        assertThat(today(job(Sharding.None), hardware, 64).missing())
                .containsExactly("weights, gradients and moments do not fit");
    }

    @Test
    void allAnswersAreDealtAndNoMicroBatchIsTooLarge() {
        int[] answers =
                new Lengths(4000, 1, 20_480, 0.5).draw(32, 16, new Random(7)).answers();
        for (int ranks : List.of(1, 7, 64, 1024)) {
            List<List<Part>> hands = Part.deal(answers, 200, ranks, 32_768);
            assertThat(hands).hasSize(ranks);
            assertThat(hands.stream()
                            .flatMap(List::stream)
                            .mapToLong(Part::response)
                            .sum())
                    .isEqualTo(Arrays.stream(answers).sum());
            assertThat(hands.stream().flatMap(List::stream)).allMatch(part -> part.padded() <= 32_768);
        }
    }

    @Test
    void operationsAreSixPerWeightAndTokenWhereEverythingIsKept() {
        Operations operations = new Operations(Models.qwen8b());
        Part part = new Part(64, 8, 64 * 8);
        double training = operations.forward(part) + operations.backward(part, 1);
        // the head's forward is among the six, too: it runs for the kept tokens
        assertThat(training).isCloseTo(6 * operations.decoder() * part.padded(), within(0.01 * training));
    }

    @Test
    void lengthsHaveTheirMeanAndSpread() {
        int[] lengths = new Lengths(1000, 0.5, 1_000_000, 0.5)
                .draw(100_000, 2, new Random(3))
                .answers();
        double mean = Arrays.stream(lengths).average().orElseThrow();
        double deviation = Math.sqrt(Arrays.stream(lengths)
                .mapToDouble(length -> (length - mean) * (length - mean))
                .average()
                .orElseThrow());
        assertThat(mean).isCloseTo(1000, within(10.0));
        assertThat(deviation).isCloseTo(500, within(15.0));
    }

    @Test
    void answersToOneProblemAreAlikeAsFarAsTheirLengthIsTheProblems() {
        Lengths.Batch all = new Lengths(1000, 0.5, 1_000_000, 1).draw(3, 2, new Random(3));
        assertThat(all.answers()[0]).isEqualTo(all.answers()[1]).isNotEqualTo(all.answers()[2]);
        assertThat(all.before()).containsExactly(all.answers()[0], all.answers()[2], all.answers()[4]);
        Lengths.Batch none = new Lengths(1000, 0.5, 1_000_000, 0).draw(3, 2, new Random(3));
        assertThat(none.answers()[0]).isNotEqualTo(none.answers()[1]);
    }

    @Test
    void sumsWithinNodesTakeLoadOffTheLinksBetweenThem() {
        Hardware hardware = Hardware.h100(NO_HOST);
        Design hierarchical = new Design(1, false, Design.TODAY.dealing(), true, false);
        double bytes = 32e9;
        double today = new Links(hardware, Design.TODAY, 64).exchange(bytes, 0);
        double then = new Links(hardware, hierarchical, 64).exchange(bytes, 0);
        assertThat(today / then).isBetween(3.0, 8.0);
        // one node has nothing to gain
        assertThat(new Links(hardware, hierarchical, 8).exchange(bytes, 0))
                .isEqualTo(new Links(hardware, Design.TODAY, 8).exchange(bytes, 0));
    }

    @Test
    void aVolumeThatIsSlowerThanTheCheckpointsStallsTraining() {
        Hardware hardware = Hardware.h100(NO_HOST);
        Job often = equalAnswers(1);
        Result result = today(often, slowDisk(hardware), 8);
        assertThat(result.limits()).contains("the volume is slower than the checkpoints");
        assertThat(result.checkpoint())
                .isGreaterThan(10 * today(often, hardware, 8).checkpoint());
    }

    private static Hardware slowDisk(Hardware other) {
        return new Hardware(
                other.name(),
                other.ranksPerNode(),
                other.flops(),
                other.utilisation(),
                other.memory(),
                other.memoryBandwidth(),
                other.withinNode(),
                other.betweenNodes(),
                other.latency(),
                other.launch(),
                other.overlap(),
                other.hostCopy(),
                1e6,
                other.host());
    }
}
