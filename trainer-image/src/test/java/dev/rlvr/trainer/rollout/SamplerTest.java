package dev.rlvr.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.Drawing;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final int VOCABULARY = 41;
    private static final List<Integer> ENDS = List.of(1, 4, 9, 16);
    private static final List<Integer> SHORT = List.of(5);
    private static final List<Integer> MIDDLE = List.of(7, 8, 9, 3);
    private static final List<Integer> LONG = List.of(2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37);

    private static NDManager owner;
    private static Decoder decoder;
    private static Sampler sampler;

    @BeforeAll
    static void start() {
        owner = Torch.start(1);
        ModelConfig config = new ModelConfig(
                ModelConfig.Family.QWEN3, VOCABULARY, 16, 24, 2, 4, 2, 4, 1e-6, 10_000, 128, true, false, ENDS);
        // weights that large make a peaked model: rounding does not change what is drawn
        decoder = new Decoder(owner, Weights.random(owner, config, 0.8, new SplittableRandom(4)), Precision.F32, 128);
        sampler = new Sampler(decoder, owner, () -> false);
    }

    @AfterAll
    static void stop() {
        decoder.close();
        owner.close();
    }

    private static AnswerSource.Streams streams(long seed) {
        return (prompt, answer) -> new SplitMix64(seed, prompt, answer);
    }

    private static List<int[]> tokens(List<Sample> samples) {
        return samples.stream().map(Sample::tokens).toList();
    }

    @Test
    void whatIsAnsweredDoesNotDependOnTheOtherPromptsOfTheCall() {
        AnswerSource.Settings settings = new AnswerSource.Settings(6, 1, 40);
        List<List<Integer>> all = List.of(SHORT, LONG, MIDDLE);

        List<List<Sample>> together = sampler.sample(all, settings, streams(1));

        for (int p = 0; p < all.size(); p++) {
            int prompt = p;
            List<List<Sample>> alone =
                    sampler.sample(List.of(all.get(p)), settings, (first, answer) -> new SplitMix64(1, prompt, answer));
            assertThat(tokens(alone.getFirst()))
                    .as("prompt %s", p)
                    .usingRecursiveComparison()
                    .isEqualTo(tokens(together.get(p)));
            for (int a = 0; a < 6; a++) {
                assertThat(alone.getFirst().get(a).entropies())
                        .usingComparatorWithPrecision(1e-3f)
                        .containsExactly(together.get(p).get(a).entropies());
            }
        }
    }

    @Test
    void answersThatWaitForARowAreTheSameAnswers() {
        AnswerSource.Settings settings = new AnswerSource.Settings(20, 1, 60);
        List<List<Integer>> prompts = List.of(SHORT, MIDDLE, LONG, List.of(6, 6), MIDDLE);
        List<List<Sample>> together = sampler.sample(prompts, settings, streams(2));

        for (int rows : new int[] {1, 7, 33}) {
            List<List<Sample>> inTurn =
                    new Sampler(decoder, owner, rows, () -> false).sample(prompts, settings, streams(2));
            for (int p = 0; p < prompts.size(); p++) {
                assertThat(tokens(inTurn.get(p)))
                        .as("prompt %s with %s rows", p, rows)
                        .usingRecursiveComparison()
                        .isEqualTo(tokens(together.get(p)));
            }
        }
    }

    @Test
    void aPromptMayStandInTheListOnceForEachOfItsAnswers() {
        List<List<Integer>> prompts = List.of(SHORT, LONG, MIDDLE);
        AnswerSource.Settings settings = new AnswerSource.Settings(6, 1, 40);
        AnswerSource.Settings alone = new AnswerSource.Settings(1, 1, 40);
        List<List<Integer>> repeated = IntStream.range(0, 18)
                .<List<Integer>>mapToObj(i -> prompts.get(i / 6))
                .toList();

        for (int rows : new int[] {4, 18}) {
            Sampler few = new Sampler(decoder, owner, rows, () -> false);
            List<Sample> together = few.sample(prompts, settings, streams(11)).stream()
                    .flatMap(List::stream)
                    .toList();
            List<Sample> oneByOne =
                    few.sample(repeated, alone, (prompt, _) -> new SplitMix64(11, prompt / 6, prompt % 6)).stream()
                            .flatMap(List::stream)
                            .toList();
            assertThat(oneByOne).as("%s rows", rows).usingRecursiveComparison().isEqualTo(together);
        }
    }

    @Test
    void theSameCallGivesTheSameBits() {
        Sampler few = new Sampler(decoder, owner, 5, () -> false);
        AnswerSource.Settings settings = new AnswerSource.Settings(8, 1.3, 50);

        assertThat(few.sample(List.of(SHORT, LONG, MIDDLE), settings, streams(10)))
                .usingRecursiveComparison()
                .isEqualTo(few.sample(List.of(SHORT, LONG, MIDDLE), settings, streams(10)));
    }

    @Test
    void everyAnswerIsHandedOverOnceAndAsSoonAsItIsFinished() {
        AtomicInteger looks = new AtomicInteger();
        List<String> finished = new ArrayList<>();
        List<Integer> at = new ArrayList<>();
        new Sampler(decoder, owner, 6, () -> looks.incrementAndGet() < 0)
                .sample(
                        List.of(SHORT, MIDDLE, LONG),
                        new AnswerSource.Settings(10, 1.5, 40),
                        streams(11),
                        (prompt, answer, sample) -> {
                            finished.add(prompt + "/" + answer);
                            at.add(looks.get());
                        });

        assertThat(finished).hasSize(30).doesNotHaveDuplicates();
        assertThat(at).isSorted();
        assertThat(at.getFirst()).isLessThan(looks.get() / 4);
    }

    @Test
    void anAnswerEndsWithItsFirstEndTokenOrIsCutAtTheLongest() {
        int longest = 21;
        List<Sample> samples =
                sampler
                        .sample(List.of(SHORT, MIDDLE, LONG), new AnswerSource.Settings(40, 1.5, longest), streams(3))
                        .stream()
                        .flatMap(List::stream)
                        .toList();

        for (Sample sample : samples) {
            int[] tokens = sample.tokens();
            assertThat(sample.length()).isBetween(1, longest);
            assertThat(Arrays.stream(tokens, 0, tokens.length - 1)).doesNotContainAnyElementsOf(ENDS);
            assertThat(ENDS.contains(tokens[tokens.length - 1])).isEqualTo(sample.ended());
            assertThat(sample.ended() || sample.length() == longest).isTrue();
            assertThat(sample.logProbabilities()).hasSameSizeAs(tokens);
            assertThat(sample.entropies()).hasSameSizeAs(tokens);
        }
        assertThat(samples.stream().filter(Sample::ended).count()).isBetween(1L, samples.size() - 1L);
    }

    @Test
    void theShortestAnswerAllowedIsOneToken() {
        List<Sample> samples = sampler.sample(List.of(MIDDLE), new AnswerSource.Settings(5, 1, 1), streams(4))
                .getFirst();

        assertThat(samples).allSatisfy(sample -> assertThat(sample.length()).isEqualTo(1));
    }

    @Test
    void longAnswersOutgrowTheFirstCacheAndAreStillWhatTheModelSays() {
        List<Sample> samples = sampler.sample(List.of(SHORT, LONG), new AnswerSource.Settings(12, 1, 110), streams(5))
                .getFirst();
        Sample longest = samples.stream()
                .max(java.util.Comparator.comparingInt(Sample::length))
                .orElseThrow();
        assertThat(longest.length()).as("longer than the cache was made for").isGreaterThan(64);

        Decoder.Scores scores = decoder.score(
                TokenBatch.of(List.of(new TokenBatch.Row(
                        SHORT, Arrays.stream(longest.tokens()).boxed().toList()))),
                1);
        assertThat(scores.logProbabilities())
                .usingComparatorWithPrecision(2e-3f)
                .containsExactly(longest.logProbabilities());
    }

    @Test
    void withoutTemperatureTheLikeliestTokenIsTakenWhateverTheRandomNumbers() {
        AnswerSource.Settings greedy = new AnswerSource.Settings(3, 0, 12);
        List<List<Sample>> samples = sampler.sample(List.of(SHORT, MIDDLE), greedy, streams(6));
        List<List<Sample>> again = sampler.sample(List.of(SHORT, MIDDLE), greedy, streams(7));

        for (int p = 0; p < 2; p++) {
            int[] first = samples.get(p).getFirst().tokens();
            assertThat(tokens(samples.get(p)))
                    .allSatisfy(tokens -> assertThat(tokens).containsExactly(first));
            assertThat(tokens(again.get(p)))
                    .allSatisfy(tokens -> assertThat(tokens).containsExactly(first));
            assertThat(likeliest(p == 0 ? SHORT : MIDDLE)).isEqualTo(first[0]);
        }
    }

    private static int likeliest(List<Integer> prompt) {
        double[] probabilities = probabilities(prompt, 1);
        return IntStream.range(0, VOCABULARY)
                .boxed()
                .max(java.util.Comparator.comparingDouble(token -> probabilities[token]))
                .orElseThrow();
    }

    /** Of every token to follow a prompt. */
    private static double[] probabilities(List<Integer> prompt, double temperature) {
        List<TokenBatch.Row> rows = IntStream.range(0, VOCABULARY)
                .mapToObj(token -> new TokenBatch.Row(prompt, List.of(token)))
                .toList();
        float[] logs = decoder.score(TokenBatch.of(rows), temperature).logProbabilities();
        return IntStream.range(0, VOCABULARY)
                .mapToDouble(token -> Math.exp(logs[token]))
                .toArray();
    }

    @Test
    void tokensComeUpAsOftenAsTheModelSays() {
        double[] probabilities = probabilities(MIDDLE, 2.5);
        assertThat(Arrays.stream(probabilities).sum()).isCloseTo(1, within(1e-4));

        assertFrequencies(draw(new Drawing(2.5, 1, 0), 8), probabilities);
    }

    @Test
    void onlyTheKLikeliestComeUpAndTheyKeepTheirProportions() {
        double[] allowed = likeliest(probabilities(MIDDLE, 2.5), 12, 1);
        assertFrequencies(draw(new Drawing(2.5, 1, 12), 12), allowed);
    }

    @Test
    void onlyTheSmallestSetThatReachesPComesUp() {
        for (double p : new double[] {0.01, 0.5, 0.9, 0.999}) {
            double[] allowed = likeliest(probabilities(MIDDLE, 2.5), VOCABULARY, p);
            assertFrequencies(draw(new Drawing(2.5, p, 0), 13), allowed);
        }
    }

    @Test
    void pIsAShareOfWhatKLeaves() {
        double[] allowed = likeliest(probabilities(MIDDLE, 2.5), 10, 0.6);

        assertFrequencies(draw(new Drawing(2.5, 0.6, 10), 14), allowed);
    }

    @Test
    void theLikeliestTokenAloneIsGreedy() {
        List<List<Integer>> prompts = List.of(SHORT, MIDDLE, LONG);
        List<List<Sample>> greedy = sampler.sample(prompts, new AnswerSource.Settings(1, 0, 30), streams(15));
        List<List<Sample>> topOne =
                sampler.sample(prompts, new AnswerSource.Settings(1, new Drawing(1, 1, 1), 30), streams(16));

        for (int p = 0; p < prompts.size(); p++) {
            assertThat(topOne.get(p).getFirst().tokens())
                    .containsExactly(greedy.get(p).getFirst().tokens());
        }
    }

    @Test
    void logProbabilitiesAreThoseOfTheFullDistributionWhateverIsLeftOut() {
        double[] probabilities = probabilities(MIDDLE, 2.5);
        double entropy = -Arrays.stream(probabilities).map(q -> q * Math.log(q)).sum();

        for (Sample sample : draws(new Drawing(2.5, 0.5, 9), 17)) {
            assertThat(sample.logProbabilities()[0])
                    .isCloseTo((float) Math.log(probabilities[sample.tokens()[0]]), within(1e-4f));
            assertThat(sample.entropies()[0]).isCloseTo((float) entropy, within(1e-3f));
        }
    }

    private static List<Sample> draws(Drawing drawing, long seed) {
        return sampler.sample(List.of(MIDDLE), new AnswerSource.Settings(4000, drawing, 1), streams(seed))
                .getFirst();
    }

    /** How often each token came up first after a prompt. */
    private static int[] draw(Drawing drawing, long seed) {
        int[] seen = new int[VOCABULARY];
        draws(drawing, seed).forEach(sample -> seen[sample.tokens()[0]]++);
        return seen;
    }

    /** The k likeliest, of them the fewest that reach the share p, scaled to a sum of one; others 0. */
    private static double[] likeliest(double[] probabilities, int k, double p) {
        List<Integer> order = IntStream.range(0, VOCABULARY)
                .boxed()
                .sorted(java.util.Comparator.comparingDouble(token -> -probabilities[token]))
                .limit(k)
                .toList();
        double wanted =
                p * order.stream().mapToDouble(token -> probabilities[token]).sum();
        double[] allowed = new double[VOCABULARY];
        double mass = 0;
        for (int token : order) {
            if (mass < wanted) {
                allowed[token] = probabilities[token];
                mass += probabilities[token];
            }
        }
        double all = mass;
        return Arrays.stream(allowed).map(q -> q / all).toArray();
    }

    private static void assertFrequencies(int[] seen, double[] probabilities) {
        int draws = Arrays.stream(seen).sum();
        double chiSquare = 0;
        int classes = 0;
        double rareExpected = 0;
        int rareSeen = 0;
        for (int token = 0; token < VOCABULARY; token++) {
            double expected = draws * probabilities[token];
            if (probabilities[token] == 0) {
                assertThat(seen[token]).as("token %s, which is left out", token).isZero();
            } else if (expected < 5) {
                rareExpected += expected;
                rareSeen += seen[token];
            } else {
                chiSquare += (seen[token] - expected) * (seen[token] - expected) / expected;
                classes++;
            }
        }
        assertThat(classes).as("tokens that come up now and then").isPositive();
        // its mean is classes - 1 and its deviation sqrt(2 (classes - 1))
        assertThat(chiSquare).isLessThanOrEqualTo(classes - 1 + 5 * Math.sqrt(2.0 * (classes - 1)));
        double deviation = Math.sqrt(rareExpected + 1);
        assertThat((double) rareSeen).isBetween(rareExpected - 5 * deviation, rareExpected + 5 * deviation);
    }

    @Test
    void askedToStopItLeavesInTheMiddleOfTheAnswers() {
        AtomicInteger looks = new AtomicInteger();
        Sampler stopping = new Sampler(decoder, owner, () -> looks.incrementAndGet() > 2);

        assertThatThrownBy(() -> stopping.sample(List.of(LONG), new AnswerSource.Settings(50, 1.5, 100), streams(9)))
                .isInstanceOf(StoppedException.class);
        assertThat(looks).hasValue(3);
    }
}
