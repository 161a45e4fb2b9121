package dev.rlvr.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rlvr.crds.AlgorithmSpec.Clip;
import org.junit.jupiter.api.Test;

class RatioStatisticsTest {
    private static final Clip CLIP = new Clip(0.2, 0.28, 10, 2);

    private static float log(double ratio) {
        return (float) Math.log(ratio);
    }

    @Test
    void aTokenCountsAsClippedOnlyWhereTheClipTakesItsGradient() {
        float[] current = {log(1.5), log(1.5), log(0.5), log(0.5), log(1.25), log(0.9), log(1.5)};
        float[] advantages = {1, -1, 1, -1, 1, -1, 0};
        float[] old = new float[7];

        RatioStatistics statistics = RatioStatistics.of(current, old, advantages, new float[7], CLIP);

        assertThat(statistics.tokens()).isEqualTo(7);
        assertThat(statistics.clippedHigh()).as("good and above 1.28").isEqualTo(1);
        assertThat(statistics.clippedLow()).as("bad and below 0.8").isEqualTo(1);
        assertThat(statistics.mean((double) statistics.clippedHigh())).isCloseTo(1.0 / 7, within(1e-12));
    }

    @Test
    void theDivergenceIsZeroForThePolicyItselfAndPositiveForAnyOther() {
        float[] old = {-1, -2, -3};
        float[] zeros = new float[3];

        assertThat(RatioStatistics.of(old, old, zeros, zeros, CLIP).kl()).isZero();
        assertThat(RatioStatistics.of(new float[] {-1 + log(2), -2 - log(2), -3}, old, zeros, zeros, CLIP)
                        .kl())
                .as("(2 - 1 - ln 2) + (1/2 - 1 + ln 2)")
                .isCloseTo(0.5, within(1e-6));
    }

    @Test
    void partsAddUpToTheWhole() {
        float[] current = {-1, -2, -0.5f, -3};
        float[] old = {-1.5f, -1, -0.5f, -3.5f};
        float[] advantages = {1, -1, 1, -1};
        float[] entropies = {0.1f, 0.2f, 0.3f, 0.4f};

        RatioStatistics whole = RatioStatistics.of(current, old, advantages, entropies, CLIP);
        RatioStatistics parts = RatioStatistics.NONE;
        for (int i = 0; i < 4; i++) {
            parts = parts.plus(RatioStatistics.of(
                    new float[] {current[i]},
                    new float[] {old[i]},
                    new float[] {advantages[i]},
                    new float[] {entropies[i]},
                    CLIP));
        }

        assertThat(parts.tokens()).isEqualTo(4);
        assertThat(parts.clippedLow()).isEqualTo(whole.clippedLow());
        assertThat(parts.clippedHigh()).isEqualTo(whole.clippedHigh());
        assertThat(parts.kl()).isCloseTo(whole.kl(), within(1e-12));
        assertThat(parts.mean(parts.entropy())).isCloseTo(0.25, within(1e-6));
    }

    @Test
    void theMeanOfNothingIsZero() {
        assertThat(RatioStatistics.NONE.mean(0)).isZero();
    }
}
