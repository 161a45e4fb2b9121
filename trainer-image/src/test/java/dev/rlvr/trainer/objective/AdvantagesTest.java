package dev.rlvr.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class AdvantagesTest {
    private static final Offset<Double> CLOSE = within(1e-5);

    @Test
    void oneRightAnswerOfFourStandsOut() {
        double[] advantages = Advantages.ofGroup(new double[] {1, 0, 0, 0});

        // mean 0.25, sample deviation sqrt((0.5625 + 3 * 0.0625) / 3) = 0.5
        assertThat(advantages[0]).isCloseTo(1.5, CLOSE);
        assertThat(advantages[1]).isCloseTo(-0.5, CLOSE);
        assertThat(advantages[3]).isCloseTo(-0.5, CLOSE);
    }

    @Test
    void halfRightIsPlusAndMinusTheSame() {
        double[] advantages = Advantages.ofGroup(new double[] {1, 0});

        assertThat(advantages[0]).isCloseTo(Math.sqrt(0.5), CLOSE);
        assertThat(advantages[1]).isCloseTo(-Math.sqrt(0.5), CLOSE);
    }

    @Test
    void aGroupOfEqualRewardsCarriesNoSignal() {
        assertThat(Advantages.ofGroup(new double[] {1, 1, 1})).containsExactly(0, 0, 0);
        assertThat(Arrays.stream(Advantages.ofGroup(new double[] {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}))
                        .boxed())
                .allSatisfy(advantage -> assertThat(advantage).isCloseTo(0, within(1e-9)));
    }

    @Test
    void advantagesSumToNothingAndDoNotDependOnTheScaleOfTheRewards() {
        double[] rewards = {1, 0.25, -0.5, 0, 1};
        double[] shifted = Arrays.stream(rewards).map(r -> 100 * r + 7).toArray();

        assertThat(Arrays.stream(Advantages.ofGroup(rewards)).sum()).isCloseTo(0, within(1e-9));
        assertThat(Advantages.ofGroup(shifted))
                .usingComparatorWithPrecision(1e-4)
                .containsExactly(Advantages.ofGroup(rewards));
    }
}
