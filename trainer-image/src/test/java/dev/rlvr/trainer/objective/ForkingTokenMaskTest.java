package dev.rlvr.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Denominator;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.EntropyFrom;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Scope;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.Select;
import dev.rlvr.trainer.data.SplitMix64;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ForkingTokenMaskTest {
    private static ForkingTokens settings(Select select, @Nullable Double fraction, @Nullable Double threshold) {
        return new ForkingTokens(select, fraction, threshold, Scope.MiniBatch, Denominator.Kept, EntropyFrom.Current);
    }

    private static ForkingTokenMask share(Select select, double fraction, float... entropies) {
        return ForkingTokenMask.select(entropies, settings(select, fraction, null), new SplitMix64(1));
    }

    private static ForkingTokenMask threshold(Select select, double threshold, float... entropies) {
        return ForkingTokenMask.select(entropies, settings(select, null, threshold), new SplitMix64(1));
    }

    private static float[] randomEntropies(int tokens, long seed) {
        SplitMix64 random = new SplitMix64(seed);
        float[] entropies = new float[tokens];
        for (int i = 0; i < tokens; i++) {
            // a coarse grid for every other seed: ties are the rule there
            entropies[i] = seed % 2 == 0 ? random.nextInt(8) / 4f : 3 * random.nextFloat();
        }
        return entropies;
    }

    private static int[] kept(ForkingTokenMask mask) {
        return IntStream.range(0, mask.kept().length)
                .filter(i -> mask.kept()[i])
                .toArray();
    }

    @ParameterizedTest(name = "{1} of {0} tokens are {2}")
    @CsvSource({
        "0, 0.2, 0",
        "1, 0.2, 1",
        "1, 0.000001, 1",
        "1, 1, 1",
        "2, 0.5, 1",
        "3, 0.5, 2",
        "4, 0.2, 1",
        "5, 0.2, 1",
        "6, 0.2, 2",
        // products that are whole numbers on paper and a little more in binary
        "15, 0.2, 3",
        "10, 0.7, 7",
        "10, 0.3, 3",
        "100, 0.07, 7",
        "100, 0.29, 29",
        "1000, 0.001, 1",
        "1000, 0.0011, 2",
        "1000, 0.999, 999",
        "1000, 1, 1000",
        "100000, 0.2, 20000"
    })
    void exactlyTheShareThatWasAskedForIsKept(int tokens, double fraction, int expected) {
        for (Select select : new Select[] {Select.HighestEntropy, Select.LowestEntropy, Select.Random}) {
            for (long seed : new long[] {1, 2}) {
                ForkingTokenMask mask = share(select, fraction, randomEntropies(tokens, seed));

                assertThat(mask.count()).as("%s seed %s", select, seed).isEqualTo(expected);
                assertThat(kept(mask)).hasSize(expected);
                assertThat(mask.kept()).hasSize(tokens);
            }
        }
    }

    @Test
    void withoutAFractionAFifthIsKept() {
        ForkingTokenMask mask = ForkingTokenMask.select(
                randomEntropies(50, 1), settings(Select.HighestEntropy, null, null), new SplitMix64(1));

        assertThat(mask.count()).isEqualTo(10);
    }

    @ParameterizedTest
    @EnumSource(Select.class)
    void ofNoTokensNothingIsKept(Select select) {
        ForkingTokenMask mask = share(select, 0.5);

        assertThat(mask.count()).isZero();
        assertThat(mask.kept()).isEmpty();
        assertThat(mask.threshold()).isNaN();
    }

    @Test
    void whereEntropiesTieAtTheEdgeEarlierTokensGoFirst() {
        float[] entropies = {1, 2, 1, 3, 1, 1};

        assertThat(kept(share(Select.HighestEntropy, 4.0 / 6, entropies))).containsExactly(0, 1, 2, 3);
        assertThat(kept(share(Select.LowestEntropy, 3.0 / 6, entropies))).containsExactly(0, 2, 4);
        assertThat(kept(share(Select.HighestEntropy, 0.5, 0, 0, 0, 0))).containsExactly(0, 1);
        assertThat(kept(share(Select.LowestEntropy, 0.5, 0, -0f, 0, -0f))).containsExactly(0, 1);
    }

    @Test
    void theThresholdReportedIsTheEdgeOfWhatWasKept() {
        float[] entropies = {0.1f, 0.9f, 0.5f, 0.3f, 0.7f};

        assertThat(share(Select.HighestEntropy, 0.4, entropies).threshold()).isCloseTo(0.7, within(1e-6));
        assertThat(share(Select.LowestEntropy, 0.4, entropies).threshold()).isCloseTo(0.3, within(1e-6));
        assertThat(share(Select.HighestEntropy, 1, entropies).threshold()).isCloseTo(0.1, within(1e-6));
        assertThat(share(Select.LowestEntropy, 1, entropies).threshold()).isCloseTo(0.9, within(1e-6));
    }

    @Test
    void anEntropyThresholdKeepsWhatReachesIt() {
        float[] entropies = {0.25f, 0.5f, 0.75f, 0.5f};

        ForkingTokenMask high = threshold(Select.HighestEntropy, 0.5, entropies);
        ForkingTokenMask low = threshold(Select.LowestEntropy, 0.5, entropies);

        assertThat(kept(high)).containsExactly(1, 2, 3);
        assertThat(high.threshold()).isEqualTo(0.5);
        assertThat(kept(low)).containsExactly(0, 1, 3);
        assertThat(low.threshold()).isEqualTo(0.5);
    }

    @Test
    void anEntropyThresholdThatNothingReachesKeepsNothing() {
        ForkingTokenMask none = threshold(Select.HighestEntropy, 2, 0.5f, 1.5f);

        assertThat(none.count()).isZero();
        assertThat(none.threshold()).isNaN();
        assertThat(threshold(Select.HighestEntropy, 0, 0f, 1f).count()).isEqualTo(2);
    }

    @Test
    void theLowestEightyPercentAreAllButTheHighestTwenty() {
        float[] entropies = randomEntropies(1000, 7);

        boolean[] highest = share(Select.HighestEntropy, 0.2, entropies).kept();
        boolean[] lowest = share(Select.LowestEntropy, 0.8, entropies).kept();

        for (int i = 0; i < entropies.length; i++) {
            assertThat(highest[i]).as("token %s", i).isNotEqualTo(lowest[i]);
        }
    }

    @Test
    void aRandomChoiceIsMadeByTheSeedAndNotByTheEntropies() {
        ForkingTokens random = settings(Select.Random, 0.3, null);
        float[] some = randomEntropies(200, 1);
        float[] others = randomEntropies(200, 3);

        int[] chosen = kept(ForkingTokenMask.select(some, random, new SplitMix64(5)));

        assertThat(kept(ForkingTokenMask.select(others, random, new SplitMix64(5))))
                .containsExactly(chosen);
        assertThat(kept(ForkingTokenMask.select(some, random, new SplitMix64(6))))
                .isNotEqualTo(chosen);
    }

    @Test
    void aRandomChoiceFavoursNoPosition() {
        int rounds = 2000;
        int[] times = new int[20];
        SplitMix64 random = new SplitMix64(11);
        for (int round = 0; round < rounds; round++) {
            for (int token :
                    kept(ForkingTokenMask.select(new float[20], settings(Select.Random, 0.25, null), random))) {
                times[token]++;
            }
        }

        // 500 each are expected with a deviation of 19
        assertThat(IntStream.of(times).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(400, 600));
    }

    @Test
    void allKeepsEveryTokenAndSaysTheLowestEntropy() {
        ForkingTokenMask mask =
                ForkingTokenMask.select(new float[] {3, 1, 2}, settings(Select.All, null, null), new SplitMix64(1));

        assertThat(kept(mask)).containsExactly(0, 1, 2);
        assertThat(mask.count()).isEqualTo(3);
        assertThat(mask.threshold()).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(Select.class)
    void anEntropyThatIsNotANumberEndsTheRun(Select select) {
        assertThatThrownBy(() -> share(select, 0.5, 1, Float.NaN, 2))
                .isInstanceOf(DivergedException.class)
                .hasMessageContaining("not a number");
    }

    @Test
    void noTokenThatIsDroppedHasMoreEntropyThanOneThatIsKept() {
        SplitMix64 random = new SplitMix64(99);
        for (long seed = 0; seed < 300; seed++) {
            float[] entropies = randomEntropies(1 + random.nextInt(300), seed);
            double fraction = Math.nextUp(random.nextDouble());

            ForkingTokenMask high = share(Select.HighestEntropy, fraction, entropies);
            ForkingTokenMask low = share(Select.LowestEntropy, fraction, entropies);

            for (int i = 0; i < entropies.length; i++) {
                double entropy = entropies[i];
                if (high.kept()[i] ? entropy < high.threshold() : entropy > high.threshold()) {
                    throw new AssertionError("highest, seed " + seed + ", token " + i);
                }
                if (low.kept()[i] ? entropy > low.threshold() : entropy < low.threshold()) {
                    throw new AssertionError("lowest, seed " + seed + ", token " + i);
                }
            }
            assertThat((double) high.count())
                    .isBetween(fraction * entropies.length - 1e-6, fraction * entropies.length + 1);
            assertThat(low.count()).isEqualTo(high.count());
        }
    }
}
