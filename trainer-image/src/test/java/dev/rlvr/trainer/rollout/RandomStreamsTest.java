package dev.rlvr.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.trainer.rollout.RandomStreams.Purpose;
import java.util.HashSet;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RandomStreamsTest {
    @Test
    void equalKeysGiveEqualNumbersWhateverWasDrawnBefore() {
        RandomGenerator first = RandomStreams.of(Purpose.ROLLOUT, 7, 3, 1, 0);
        RandomStreams.of(Purpose.ROLLOUT, 7, 3, 1, 1).nextDouble();
        RandomGenerator second = RandomStreams.of(Purpose.ROLLOUT, 7, 3, 1, 0);

        assertThat(second.doubles(100).toArray())
                .containsExactly(first.doubles(100).toArray());
    }

    @Test
    void everyPurposeSeedStepPromptAndAnswerHasAStreamOfItsOwn() {
        Set<Long> firsts = new HashSet<>();
        int streams = 0;
        for (Purpose purpose : Purpose.values()) {
            for (long seed = -1; seed <= 1; seed++) {
                for (long step = 0; step < 5; step++) {
                    for (long prompt = 0; prompt < 20; prompt++) {
                        for (long answer = 0; answer < 20; answer++) {
                            firsts.add(RandomStreams.of(purpose, seed, step, prompt, answer)
                                    .nextLong());
                            streams++;
                        }
                    }
                }
            }
        }

        assertThat(firsts).hasSize(streams);
    }

    @Test
    void theOrderAndTheNumberOfKeysCount() {
        assertThat(RandomStreams.of(Purpose.MASK, 1, 2).nextLong())
                .isNotEqualTo(RandomStreams.of(Purpose.MASK, 2, 1).nextLong())
                .isNotEqualTo(RandomStreams.of(Purpose.MASK, 1, 2, 0).nextLong());
    }

    @Test
    void theFirstNumbersOfNeighbouringStreamsAreSpreadEvenly() {
        int[] tenths = new int[10];
        for (int answer = 0; answer < 10_000; answer++) {
            tenths[
                    (int) (10
                            * RandomStreams.of(Purpose.ROLLOUT, 0, 0, 0, answer).nextDouble())]++;
        }

        // 1000 each are expected with a deviation of 30
        assertThat(IntStream.of(tenths).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(850, 1150));
    }
}
