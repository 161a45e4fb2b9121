package dev.rlvr.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SharesTest {
    private static final int PROMPTS = 512;
    private static final int ANSWERS = 16;
    private static final int LONGEST = 20_480;

    @Test
    void equalPiecesAreDealtInTurn() {
        assertThat(Shares.of(new double[] {7, 7, 7, 7, 7}, 2)).containsExactly(List.of(0, 2, 4), List.of(1, 3));
    }

    @Test
    void theLongestComesFirstAndGoesToWhoHasLeast() {
        assertThat(Shares.of(new double[] {1, 5, 2, 4, 3}, 2)).containsExactly(List.of(1, 2, 0), List.of(3, 4));
    }

    @Test
    void ranksBeyondThePiecesHaveNone() {
        assertThat(Shares.of(new double[] {3, 4}, 3)).containsExactly(List.of(1), List.of(0), List.of());
    }

    /** Log-normal answers, cut at the longest; half of the variance of their logarithms is the problem's own. */
    private static double[] lengths(double[] problems, SplittableRandom random) {
        return IntStream.range(0, PROMPTS * ANSWERS)
                .mapToDouble(i -> 2800 * Math.exp(0.59 * (problems[i / ANSWERS] + random.nextGaussian())))
                .map(length -> Math.min(LONGEST, Math.ceil(length)))
                .toArray();
    }

    private static double idle(List<List<Integer>> shares, double[] lengths) {
        double[] tokens = shares.stream()
                .mapToDouble(
                        share -> share.stream().mapToDouble(i -> lengths[i]).sum())
                .toArray();
        return 1
                - Arrays.stream(tokens).average().orElseThrow()
                        / Arrays.stream(tokens).max().orElseThrow();
    }

    private record Idle(double shares, double promptsInTurn) {}

    /** Of one batch, whose problems all have been answered once before. */
    private static Idle batch(int ranks, SplittableRandom random) {
        double[] problems =
                random.doubles(PROMPTS).map(_ -> random.nextGaussian()).toArray();
        double[] before = lengths(problems, random);
        double[] now = lengths(problems, random);
        double[] expected = IntStream.range(0, now.length)
                .mapToDouble(i -> Arrays.stream(before, i / ANSWERS * ANSWERS, (i / ANSWERS + 1) * ANSWERS)
                        .average()
                        .orElseThrow())
                .toArray();
        List<List<Integer>> promptsInTurn = IntStream.range(0, ranks)
                .mapToObj(rank -> IntStream.range(0, now.length)
                        .filter(i -> i / ANSWERS % ranks == rank)
                        .boxed()
                        .toList())
                .toList();
        return new Idle(idle(Shares.of(expected, ranks), now), idle(promptsInTurn, now));
    }

    /** Most ranks wait for what the answers of a problem differ by, which nobody knows beforehand. */
    @ParameterizedTest
    @CsvSource({"2, 0.02", "4, 0.03", "8, 0.05", "64, 0.15"})
    void ranksWriteAboutAsManyTokensAsTheFullestOne(int ranks, double most) {
        SplittableRandom random = new SplittableRandom(5);
        List<Idle> batches =
                Stream.generate(() -> batch(ranks, random)).limit(16).toList();

        double idle = batches.stream().mapToDouble(Idle::shares).average().orElseThrow();

        assertThat(idle)
                .isLessThan(most)
                .isLessThan(batches.stream()
                                .mapToDouble(Idle::promptsInTurn)
                                .average()
                                .orElseThrow()
                        / 2);
    }
}
