package dev.rlvr.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.crds.AlgorithmSpec.Clip;
import dev.rlvr.trainer.torch.Torch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyLossTest {
    private static final Clip CLIP = new Clip(0.2, 0.28, 10, 2);

    private static NDManager owner;
    private static PolicyLoss loss;

    @BeforeAll
    static void start() {
        owner = Torch.start(1);
        loss = new PolicyLoss(CLIP);
    }

    @AfterAll
    static void stop() {
        loss.close();
        owner.close();
    }

    /** The loss of some tokens and its gradient by their log-probabilities. */
    @SuppressWarnings("ArrayRecordComponent") // read at once
    private record Outcome(float loss, float[] gradient) {}

    private static Outcome outcome(float[] current, float[] old, float[] advantages, double denominator) {
        try (NDManager scope = owner.newSubManager()) {
            NDArray leaf = scope.create(current);
            LibTorch.requireGradient(leaf);
            NDArray value = Torch.withGradients(() -> loss.of(scope, leaf, scope.create(old), scope.create(advantages))
                    .div((float) denominator));
            LibTorch.backward(value, scope.create(1f));
            return new Outcome(
                    value.getFloat(),
                    LibTorch.gradient(scope, leaf).orElseThrow().toFloatArray());
        }
    }

    @ParameterizedTest(name = "ratio {0}, advantage {1}: loss {2}, gradient {3}")
    @CsvSource({
        // nothing has moved yet: the plain policy gradient
        "1,     2,    -2,     -2",
        "1,    -2,     2,      2",
        // a good token may grow up to 1.28 and then pushes no further
        "1.25,  2,    -2.5,   -2.5",
        "1.5,   2,    -2.56,   0",
        "100,   2,    -2.56,   0",
        // a good token that has shrunk is pulled back in full
        "0.5,   2,    -1,     -1",
        // a bad token may shrink down to 0.8 and then pushes no further
        "0.9,  -2,     1.8,    1.8",
        "0.5,  -2,     1.6,    0",
        // a bad token that has grown is pushed back in full, up to the dual clip
        "1.5,  -2,     3,      3",
        "9.5,  -2,    19,     19",
        "20,   -2,    20,      0",
        // no advantage, no loss
        "1.1,   0,     0,      0"
    })
    void oneTokenLosesWhatDapoSays(double ratio, float advantage, float expected, float gradient) {
        float old = -1.5f;
        float current = (float) (old + Math.log(ratio));

        Outcome outcome = outcome(new float[] {current}, new float[] {old}, new float[] {advantage}, 1);

        assertThat(outcome.loss()).isCloseTo(expected, within(2e-5f * Math.max(1, Math.abs(expected))));
        assertThat(outcome.gradient()[0]).isCloseTo(gradient, within(2e-5f * Math.max(1, Math.abs(gradient))));
    }

    @Test
    void theSumOverTokensIsDividedByTheDenominatorThatIsGiven() {
        float[] old = {-1, -2, -3};
        float[] advantages = {1, -0.5f, 2};

        Outcome byThree = outcome(old, old, advantages, 3);
        Outcome byTwelve = outcome(old, old, advantages, 12);

        assertThat(byThree.loss()).isCloseTo(-2.5f / 3, within(1e-6f));
        assertThat(byThree.gradient()).usingComparatorWithPrecision(1e-6f).containsExactly(-1f / 3, 0.5f / 3, -2f / 3);
        assertThat(byTwelve.loss()).isCloseTo(-2.5f / 12, within(1e-6f));
        assertThat(byTwelve.gradient()[0]).isCloseTo(-1f / 12, within(1e-6f));
    }

    @Test
    void aTokenThatHasGrownBeyondAllBoundsStillHasAFiniteGradient() {
        Outcome outcome = outcome(new float[] {-1}, new float[] {-200}, new float[] {-1}, 1);

        assertThat(outcome.loss()).isEqualTo(10);
        assertThat(outcome.gradient()[0]).isZero();
    }

    @Test
    void partsOfAMiniBatchAddUpToTheWhole() {
        float[] current = {-1, -2, -0.1f, -4};
        float[] old = {-1.1f, -1.5f, -0.3f, -8};
        float[] advantages = {1, -0.5f, 2, -1};

        Outcome whole = outcome(current, old, advantages, 4);
        Outcome left = outcome(head(current), head(old), head(advantages), 4);
        Outcome right = outcome(tail(current), tail(old), tail(advantages), 4);

        assertThat(left.loss() + right.loss()).isCloseTo(whole.loss(), within(1e-5f));
        assertThat(head(whole.gradient())).containsExactly(left.gradient());
        assertThat(tail(whole.gradient())).containsExactly(right.gradient());
    }

    private static float[] head(float[] values) {
        return new float[] {values[0], values[1]};
    }

    private static float[] tail(float[] values) {
        return new float[] {values[2], values[3]};
    }
}
