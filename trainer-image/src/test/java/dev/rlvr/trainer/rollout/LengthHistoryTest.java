package dev.rlvr.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.trainer.data.Problem;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.reward.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LengthHistoryTest {
    private static final List<Problem> PROBLEMS = List.of(problem(0), problem(1), problem(2));

    private static Problem problem(int index) {
        return new Problem(index, "prompt", "answer", "here");
    }

    private static Group group(int problem, int... lengths) {
        List<Sample> samples = Arrays.stream(lengths)
                .mapToObj(length -> new Sample(new int[length], new float[length], new float[length], true))
                .toList();
        return new Group(
                problem(problem),
                List.of(1),
                samples,
                Collections.nCopies(lengths.length, ""),
                Collections.nCopies(lengths.length, Verdict.Wrong),
                Collections.nCopies(lengths.length, 0.0),
                Collections.nCopies(lengths.length, 0.0));
    }

    @Test
    void whereNothingIsKnownAllAreAlike() {
        assertThat(LengthHistory.none(3).expected(PROBLEMS)).containsOnly(1);
    }

    @Test
    void aProblemIsExpectedToBeAnsweredAsBeforeAndAnUnknownOneAsTheOthers() {
        LengthHistory once = LengthHistory.none(3).with(List.of(group(0, 10, 30), group(2, 60)));
        assertThat(once.expected(PROBLEMS)).containsExactly(20, 40, 60);

        LengthHistory twice = once.with(List.of(group(2, 20)));
        assertThat(twice.expected(PROBLEMS)).containsExactly(20, 30, 40);
        assertThat(once.expected(PROBLEMS)).containsExactly(20, 40, 60);
    }

    @Test
    void aCheckpointKeepsIt(@TempDir Path folder) throws IOException {
        Path file = folder.resolve(LengthHistory.FILE);
        LengthHistory history = LengthHistory.none(3).with(List.of(group(0, 10, 11, 12), group(2, 1, 1, 2)));

        Safetensors.write(file, history.content());

        assertThat(LengthHistory.read(file, 3).expected(PROBLEMS)).isEqualTo(history.expected(PROBLEMS));
    }
}
