package dev.rlvr.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TruncatedImportanceTest {
    @Test
    void aTokenWeighsWhatThePolicyMakesOfItUpToTheBound() {
        float[] sampled = {-1, -1, -3, -1, -80};
        float[] current = {-1, (float) (-1 - Math.log(2)), (float) (-3 + Math.log(1.5)), (float) (-1 + Math.log(3)), 0};

        float[] weights = TruncatedImportance.of(current, sampled, 2);

        assertThat(weights).containsExactly(new float[] {1, 0.5f, 1.5f, 2, 2}, within(1e-6f));
    }
}
