package dev.rlvr.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProblemStreamTest {
    private static final List<Problem> PROBLEMS = IntStream.range(0, 100)
            .mapToObj(i -> new Problem(i, "p" + i, "a" + i, "line " + i))
            .toList();

    @Test
    void everyEpochHoldsEachProblemOnceInAnOrderOfItsOwn() {
        ProblemStream stream = new ProblemStream(PROBLEMS, 1);

        List<Problem> first = stream.take(0, 100);
        List<Problem> second = stream.take(100, 100);

        assertThat(first).containsExactlyInAnyOrderElementsOf(PROBLEMS).isNotEqualTo(PROBLEMS);
        assertThat(second).containsExactlyInAnyOrderElementsOf(PROBLEMS).isNotEqualTo(first);
    }

    @Test
    void aStreamResumedAtAPositionGoesOnAsIfNeverStopped() {
        List<Problem> uninterrupted = new ProblemStream(PROBLEMS, 7).take(0, 350);

        List<Problem> resumed = new ArrayList<>();
        for (int position = 0; position < 350; position += 35) {
            resumed.addAll(new ProblemStream(PROBLEMS, 7).take(position, 35));
        }

        assertThat(resumed).isEqualTo(uninterrupted);
    }

    @Test
    void anotherSeedIsAnotherOrder() {
        assertThat(new ProblemStream(PROBLEMS, 1).take(0, 100))
                .isNotEqualTo(new ProblemStream(PROBLEMS, 2).take(0, 100));
    }

    @Test
    void allOrdersOfThreeProblemsAreAboutEquallyLikely() {
        int[] counts = new int[27];
        PromptOrder order = new PromptOrder(0, 3);
        for (int epoch = 0; epoch < 60_000; epoch++) {
            int[] shuffled = order.epoch(epoch);
            counts[shuffled[0] * 9 + shuffled[1] * 3 + shuffled[2]]++;
        }

        assertThat(IntStream.of(counts).filter(count -> count > 0))
                .hasSize(6)
                .allSatisfy(count -> assertThat(count).isBetween(9_600, 10_400));
    }

    @Test
    void theOrderIsTheSameOnEveryMachine() {
        assertThat(new PromptOrder(42, 8).epoch(3)).containsExactly(5, 2, 1, 4, 7, 3, 6, 0);
    }
}
