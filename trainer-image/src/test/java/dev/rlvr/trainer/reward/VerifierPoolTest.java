package dev.rlvr.trainer.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.RewardSpec;
import dev.rlvr.trainer.reward.VerifierPool.Attempt;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class VerifierPoolTest {
    /** Takes about n^10 steps on n letters that no b follows. */
    private static final String CATASTROPHE = "a*a*a*a*a*a*a*a*a*b";

    @Test
    void aResponseThatBlowsUpTheRegexIsStoppedAndCountedApart() throws InterruptedException {
        try (VerifierPool pool = new VerifierPool(exact(CATASTROPHE), Duration.ofMillis(100), 1)) {
            long start = System.nanoTime();
            List<Verdict> verdicts = pool.verify(List.of(
                    new Attempt("aab", "aab"),
                    new Attempt("a".repeat(60), "x"),
                    new Attempt("xb", "aab"),
                    new Attempt("ab", "ab")));

            assertThat(verdicts).containsExactly(Verdict.Right, Verdict.TimedOut, Verdict.Wrong, Verdict.Right);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        }
    }

    @Test
    void theThreadIsFreeAgainAfterATimeOut() throws InterruptedException {
        try (VerifierPool pool = new VerifierPool(exact(CATASTROPHE), Duration.ofMillis(50), 2)) {
            for (int round = 0; round < 3; round++) {
                assertThat(pool.verify(List.of(
                                new Attempt("a".repeat(80), "x"),
                                new Attempt("a".repeat(90), "x"),
                                new Attempt("ab", "ab"))))
                        .containsExactly(Verdict.TimedOut, Verdict.TimedOut, Verdict.Right);
            }
        }
    }

    @Test
    void aRegexThatNeedsTooMuchStackIsNoCrash() throws InterruptedException {
        try (VerifierPool pool = new VerifierPool(exact("(?:a|b|cd)+x"), Duration.ofSeconds(20), 1)) {
            assertThat(pool.verify(List.of(new Attempt("ab".repeat(2_000_000), "x"), new Attempt("abx", "abx"))))
                    .containsExactly(Verdict.TimedOut, Verdict.Right);
        }
    }

    @Test
    void verdictsComeInTheOrderOfTheAttempts() throws InterruptedException {
        List<Attempt> attempts = IntStream.range(0, 2_000)
                .mapToObj(i -> new Attempt("it is " + i, Integer.toString(i - i % 3)))
                .toList();
        Verifier numeric = Verifier.of(new RewardSpec(RewardSpec.Verifier.Numeric, null, "10s", null));

        try (VerifierPool pool = new VerifierPool(numeric, Duration.ofSeconds(10), 4)) {
            List<Verdict> verdicts = pool.verify(attempts);

            assertThat(IntStream.range(0, 2_000))
                    .allMatch(i -> verdicts.get(i) == (i % 3 == 0 ? Verdict.Right : Verdict.Wrong));
        }
    }

    @Test
    void verdictsOfAttemptsThatComeOneByOneAreInTheOrderOfTheirNumbers() throws InterruptedException {
        try (VerifierPool pool = new VerifierPool(exact(null), Duration.ofSeconds(10), 2);
                VerifierPool.Verification verification = pool.verification()) {
            verification.begin(2, new Attempt("c", "x"));
            verification.begin(0, new Attempt("a", "a"));
            verification.begin(1, new Attempt("b", "b"));

            assertThat(verification.verdicts()).containsExactly(Verdict.Right, Verdict.Right, Verdict.Wrong);
        }
    }

    @Test
    void onlyRightAnswersEarnAReward() {
        assertThat(List.of(Verdict.values())).extracting(Verdict::reward).containsExactly(1.0, 0.0, 0.0);
    }

    private static Verifier exact(@Nullable String pattern) {
        return Verifier.of(new RewardSpec(RewardSpec.Verifier.Exact, pattern, "10s", null));
    }
}
