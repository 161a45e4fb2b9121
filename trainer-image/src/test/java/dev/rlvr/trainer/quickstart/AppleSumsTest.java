package dev.rlvr.trainer.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.trainer.quickstart.AppleSums.Question;
import dev.rlvr.trainer.quickstart.AppleSums.Worked;
import dev.rlvr.trainer.quickstart.Sum.Operation;
import dev.rlvr.trainer.quickstart.Sum.Sign;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AppleSumsTest {
    private static final int MANY = 20_000;
    private static final Pattern STORY = Pattern.compile(
            "(\\w+) has (\\d+) (\\w+), ([a-z ]+) (\\d+), ([a-z ]+) (\\d+) and ([a-z ]+) (\\d+)\\. How many (\\w+)\\?\n");
    private static final Set<String> GAINS = Set.of("buys", "finds", "gets");

    @Test
    void noHeldOutNumbersAreInTraining() {
        Set<Sum> heldOut = AppleSums.test().stream()
                .map(question -> read(question.prompt()))
                .collect(Collectors.toSet());

        assertThat(heldOut).hasSize(AppleSums.TEST_PROBLEMS);
        assertThat(AppleSums.train())
                .hasSize(AppleSums.TRAIN_PROBLEMS)
                .noneMatch(question -> heldOut.contains(read(question.prompt())));
        assertThat(AppleSums.worked(7).limit(50_000)).noneMatch(worked -> heldOut.contains(read(worked.prompt())));
    }

    @Test
    void evenTheTestSeedGivesNoHeldOutNumbersOnceTheyAreLeftOut() {
        Set<Sum> heldOut = AppleSums.testSums();

        assertThat(AppleSums.distinct(AppleSums.TEST, 100, heldOut)).noneMatch(q -> heldOut.contains(q.sum()));
        assertThat(AppleSums.distinct(AppleSums.TEST, 100, Set.of())).allMatch(q -> heldOut.contains(q.sum()));
    }

    @Test
    void theStoryTellsTheNumbersAndTheAnswer() {
        for (Question question : AppleSums.test()) {
            assertThat(read(question.prompt())).isEqualTo(question.sum());
            assertThat(question.sum().total()).isBetween(10, 199);
        }
    }

    @Test
    void aboutHalfOfTheSolutionsEndRight() {
        List<Worked> worked = AppleSums.worked(3, MANY);

        double right = worked.stream().filter(Worked::right).count() / (double) MANY;

        assertThat(right).isBetween(.49, .53);
        assertThat(worked).allMatch(w -> w.answer().equals("" + read(w.prompt()).total()));
    }

    @Test
    void onlySplitIsReliable() {
        List<Worked> worked = AppleSums.worked(4, MANY);

        assertThat(worked.stream().filter(w -> onlyBy(w, "Split: ")))
                .isNotEmpty()
                .allMatch(Worked::right);
        assertThat(shareRight(worked, "Round: ")).isBetween(.2, .5);
        assertThat(shareRight(worked, "Quick: ")).isLessThan(.4);
    }

    @Test
    void forAdditionTheCarelessWayIsTheMostCommon() {
        String all = AppleSums.worked(5).limit(MANY).map(Worked::solution).collect(Collectors.joining("\n"));

        double quickPlus = count(all, "Quick: \\d+\\+");
        double splitPlus = count(all, "Split: \\d+\\+");
        double roundPlus = count(all, "Round: \\d+\\+");

        double sum = quickPlus + splitPlus + roundPlus;
        assertThat(quickPlus / sum).isBetween(.48, .52);
        assertThat(splitPlus / sum).isBetween(.28, .32);
        assertThat((double) count(all, "Wait, ") / count(all, "Quick: ")).isBetween(.23, .27);
    }

    @Test
    void theSupplyIsAFunctionOfItsSeed() {
        assertThat(AppleSums.worked(11, 50)).isEqualTo(AppleSums.worked(11, 100).subList(0, 50));
        assertThat(AppleSums.worked(11, 50)).isNotEqualTo(AppleSums.worked(12, 50));
    }

    private static Sum read(String prompt) {
        Matcher story = STORY.matcher(prompt);
        assertThat(story.matches()).as(prompt).isTrue();
        assertThat(story.group(10)).isEqualTo(story.group(3));
        return new Sum(
                Integer.parseInt(story.group(2)),
                List.of(operation(story, 4), operation(story, 6), operation(story, 8)));
    }

    private static Operation operation(Matcher story, int verb) {
        Sign sign = GAINS.contains(story.group(verb)) ? Sign.PLUS : Sign.MINUS;
        return new Operation(sign, Integer.parseInt(story.group(verb + 1)));
    }

    private static boolean onlyBy(Worked worked, String way) {
        return count(worked.solution(), "(Split|Round|Quick): ") == count(worked.solution(), way)
                && !worked.solution().contains("Wait");
    }

    private static double shareRight(List<Worked> worked, String way) {
        List<Worked> same = worked.stream().filter(w -> onlyBy(w, way)).toList();
        return same.stream().filter(Worked::right).count() / (double) same.size();
    }

    private static long count(String text, String regex) {
        return Pattern.compile(regex).matcher(text).results().count();
    }
}
