package dev.rlvr.trainer.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rlvr.crds.RewardSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OverlongPenaltyTest {
    @ParameterizedTest
    @CsvSource({
        "20480, 4096, 1.0, 0, 0",
        "20480, 4096, 1.0, 16384, 0",
        "20480, 4096, 1.0, 16385, -0.000244140625",
        "20480, 4096, 1.0, 18432, -0.5",
        "20480, 4096, 1.0, 20480, -1",
        "20480, 4096, 1.0, 29696, -1",
        "100, 10, 0.5, 95, -0.25",
        "100, 10, 0, 100, 0"
    })
    void thePenaltyGrowsOverTheCacheAndThenStays(int max, int cache, double penalty, int length, double expected) {
        assertThat(OverlongPenalty.of(new RewardSpec.Overlong(max, cache, penalty), length))
                .isCloseTo(expected, within(1e-12));
    }
}
