package dev.rlvr.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.trainer.collectives.RanksInThisProcess;
import dev.rlvr.trainer.reward.Verdict;
import dev.rlvr.trainer.rollout.SharedAnswers.Answer;
import dev.rlvr.trainer.rollout.SharedAnswers.Unit;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SharedAnswersTest {
    private static final int EACH = 3;
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** As many tokens as its number says, so that pieces break in other places each time. */
    private static Answer answer(int prompt, int answer) {
        int length = 1 + 7 * prompt + answer;
        int[] tokens = IntStream.range(0, length).toArray();
        float[] figures = new float[length];
        Arrays.fill(figures, answer);
        return new Answer(
                new Sample(tokens, figures, figures, answer > 0),
                "ä" + prompt,
                answer == 0 ? Verdict.Right : Verdict.Wrong);
    }

    private static List<Answer> answers(SharedAnswers.Share share, int prompts) {
        List<Integer> asked = share.of(IntStream.range(0, prompts).boxed().toList());
        List<Answer> answers = new ArrayList<>();
        for (int piece = 0; piece < share.size(); piece++) {
            for (int i = 0; i < share.each(); i++) {
                int[] which = {-1, -1};
                share.streams((prompt, answer) -> {
                            which[0] = prompt;
                            which[1] = answer;
                            return RandomStreams.of(RandomStreams.Purpose.ROLLOUT);
                        })
                        .of(piece, i);
                assertThat(which[0]).isEqualTo(asked.get(piece));
                answers.add(answer(which[0], which[1]));
            }
        }
        return answers;
    }

    @ParameterizedTest
    @CsvSource({
        "ANSWER, 5, 100",
        "ANSWER, 5, 1",
        "ANSWER, 1, 100",
        "PROMPT, 5, 100",
        "PROMPT, 2, 1",
        "ANSWER, 4, 268435456"
    })
    void allRanksGetAllAnswersInOrderHoweverManyRoundsThatTakes(Unit unit, int prompts, int round) throws Exception {
        double[] expected =
                IntStream.range(0, prompts).mapToDouble(i -> 10 * i % 7).toArray();
        List<Answer> all = IntStream.range(0, prompts * EACH)
                .mapToObj(i -> answer(i / EACH, i % EACH))
                .toList();

        // with one or two prompts some ranks have nothing
        List<List<Answer>> ofRanks = RanksInThisProcess.run(
                4,
                (_, group) -> new SharedAnswers(group, unit, InstantSource.system(), round)
                        .all(expected, EACH, share -> answers(share, prompts))
                        .answers());

        assertThat(ofRanks)
                .hasSize(4)
                .allSatisfy(
                        theirs -> assertThat(theirs).usingRecursiveComparison().isEqualTo(all));
    }

    @Test
    void noRoundIsLargerThanItsBoundAndAnAnswerFromEachRank() throws Exception {
        int round = 4_000;
        int largest = 500 * 12 + 100;
        List<List<Integer>> sizes = RanksInThisProcess.run(2, (_, group) -> {
            WatchedGather watched = new WatchedGather(group);
            double[] alike = new double[500 / 7];
            Arrays.fill(alike, 1);
            new SharedAnswers(watched, Unit.ANSWER, InstantSource.system(), round)
                    .all(alike, EACH, share -> answers(share, alike.length));
            return watched.received();
        });

        assertThat(sizes.getFirst()).hasSizeGreaterThan(20).allMatch(size -> size <= round + 2 * largest);
        assertThat(sizes.getFirst().stream().mapToInt(size -> size).sum()).isGreaterThan(20 * round);
    }

    @Test
    void aRankIsSaidToWaitForAsLongAsTheSlowestTakesMore() throws Exception {
        List<Duration> waited = RanksInThisProcess.run(3, (_, group) -> {
            AtomicLong now = new AtomicLong();
            InstantSource clock = () -> Instant.ofEpochSecond(now.get());
            return new SharedAnswers(group, Unit.ANSWER, clock)
                    .all(new double[] {1}, EACH, share -> {
                        now.addAndGet(10 + 3L * group.rank());
                        return answers(share, 1);
                    })
                    .waited();
        });

        // 6, 3 and 0 seconds
        assertThat(waited).containsOnly(SECOND.multipliedBy(3));
    }

    @Test
    void whenOneIsStoppedAllAre() throws Exception {
        List<Boolean> stopped = RanksInThisProcess.run(2, (_, group) -> {
            try {
                new SharedAnswers(group, Unit.ANSWER, InstantSource.system()).all(new double[] {1, 1}, EACH, share -> {
                    if (group.rank() == 1) {
                        throw new StoppedException();
                    }
                    return answers(share, 2);
                });
                return false;
            } catch (StoppedException e) {
                return true;
            }
        });

        assertThat(stopped).isEqualTo(Collections.nCopies(2, true));
    }

    @Test
    void oneRankAnswersPromptByPrompt() throws Exception {
        List<Answer> answers = RanksInThisProcess.run(
                        1,
                        (_, group) -> new SharedAnswers(group, Unit.ANSWER, InstantSource.system())
                                .all(new double[] {1, 9}, EACH, share -> {
                                    assertThat(share.each()).isEqualTo(EACH);
                                    return answers(share, 2);
                                })
                                .answers())
                .getFirst();

        assertThat(answers)
                .usingRecursiveComparison()
                .isEqualTo(Stream.of(0, 1)
                        .flatMap(p -> IntStream.range(0, EACH).mapToObj(a -> answer(p, a)))
                        .toList());
    }
}
