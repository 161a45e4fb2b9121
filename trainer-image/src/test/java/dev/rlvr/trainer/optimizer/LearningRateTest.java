package dev.rlvr.trainer.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.crds.AlgorithmSpec.Optimizer.Schedule;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LearningRateTest {
    private static final Offset<Double> CLOSE = within(1e-12);

    private static double at(int step, int steps, int warmup, Schedule schedule) {
        return LearningRate.at(step, steps, new Optimizer(0.01, warmup, 0.1, 0.9, 0.999, 1e-8, 1, schedule));
    }

    @ParameterizedTest
    @EnumSource(Schedule.class)
    void theRateGrowsInEqualStepsFromTheFirstOneToItsPeak(Schedule schedule) {
        assertThat(at(0, 100, 4, schedule)).as("the first step learns, too").isCloseTo(0.0025, CLOSE);
        assertThat(at(1, 100, 4, schedule)).isCloseTo(0.005, CLOSE);
        assertThat(at(3, 100, 4, schedule)).isCloseTo(0.01, CLOSE);
        assertThat(at(4, 100, 4, schedule)).isCloseTo(0.01, CLOSE);
    }

    @Test
    void afterTheWarmUpItFollowsItsSchedule() {
        assertThat(at(52, 100, 4, Schedule.Constant)).isCloseTo(0.01, CLOSE);
        assertThat(at(52, 100, 4, Schedule.Linear)).isCloseTo(0.005, CLOSE);
        assertThat(at(52, 100, 4, Schedule.Cosine)).isCloseTo(0.005, CLOSE);
        assertThat(at(28, 100, 4, Schedule.Cosine)).isCloseTo(0.01 * (1 + Math.sqrt(0.5)) / 2, CLOSE);
    }

    @ParameterizedTest
    @EnumSource(Schedule.class)
    void everyStepLearnsSomethingAndNoneMoreThanThePeak(Schedule schedule) {
        for (int steps : new int[] {1, 2, 10, 97}) {
            for (int warmup : new int[] {0, 1, 10, 200}) {
                for (int step = 0; step < steps; step++) {
                    assertThat(at(step, steps, warmup, schedule))
                            .as("step %s of %s, warm-up %s", step, steps, warmup)
                            .isPositive()
                            .isLessThanOrEqualTo(0.01 + 1e-15);
                }
            }
        }
    }
}
