package dev.rlvr.trainer.quickstart;

import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.quickstart.Sum.Operation;
import dev.rlvr.trainer.quickstart.Sum.Sign;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Word problems such as {@code Tom has 45 shells, gets 22, sells 21 and gets 46. How many shells?} with worked
 * solutions, about half of which end right. All of it is a function of seeds, and the numbers of the 1,000 test
 * problems occur in nothing else that this class hands out.
 */
public final class AppleSums {
    static final int TEST_PROBLEMS = 1_000;
    static final int TRAIN_PROBLEMS = 6_000;

    static final long TEST = 999;
    private static final long TRAIN = 50_000;
    private static final long WORKED = 1;

    private static final List<String> NAMES = List.of("Mia", "Tom", "Ann", "Ben", "Eva", "Leo");
    private static final List<String> THINGS = List.of("apples", "coins", "shells", "stamps");
    private static final List<String> GAINS = List.of("buys", "finds", "gets");
    private static final List<String> LOSSES = List.of("loses", "sells", "gives away");

    private AppleSums() {}

    /** A problem with one way through it: the prompt ends in a newline, the solution with {@code Answer: } and a number. */
    public record Worked(String prompt, String solution, String answer) {
        /** Whether the solution arrives at the answer. */
        public boolean right() {
            return solution.endsWith("Answer: " + answer);
        }
    }

    record Question(String prompt, Sum sum) {}

    /** The first {@code n} of {@link #worked(long)}. */
    public static List<Worked> worked(long seed, int n) {
        return worked(seed).limit(n).toList();
    }

    /** An endless supply for pre-training. Every seed has its own; none has the numbers of a test problem. */
    public static Stream<Worked> worked(long seed) {
        SplitMix64 random = new SplitMix64(WORKED, seed);
        Set<Sum> heldOut = testSums();
        return Stream.generate(() -> worked(random, heldOut));
    }

    /** The held-out problems, no two with the same numbers. */
    static List<Question> test() {
        return distinct(TEST, TEST_PROBLEMS, Set.of());
    }

    /** The problems for reinforcement learning, no two with the same numbers, none with those of a test problem. */
    static List<Question> train() {
        return distinct(TRAIN, TRAIN_PROBLEMS, testSums());
    }

    static Set<Sum> testSums() {
        Set<Sum> sums = new HashSet<>();
        test().forEach(question -> sums.add(question.sum()));
        return sums;
    }

    static List<Question> distinct(long seed, int n, Set<Sum> without) {
        SplitMix64 random = new SplitMix64(seed);
        Set<Sum> seen = new HashSet<>(without);
        return Stream.generate(() -> question(random))
                .filter(question -> seen.add(question.sum()))
                .limit(n)
                .toList();
    }

    private static Worked worked(SplitMix64 random, Set<Sum> heldOut) {
        while (true) {
            Question question = question(random);
            Optional<String> solution = solution(random, question.sum());
            if (solution.isPresent() && !heldOut.contains(question.sum())) {
                String answer = Integer.toString(question.sum().total());
                return new Worked(question.prompt(), solution.get(), answer);
            }
        }
    }

    private static Question question(SplitMix64 random) {
        Sum sum = Sum.draw(random);
        List<String> events = sum.operations().stream()
                .map(operation -> verb(random, operation.sign()) + " " + operation.operand())
                .toList();
        String thing = pick(random, THINGS);
        String allButLast = String.join(", ", events.subList(0, events.size() - 1));
        String prompt = "%s has %d %s, %s and %s. How many %s?\n"
                .formatted(pick(random, NAMES), sum.start(), thing, allButLast, events.getLast(), thing);
        return new Question(prompt, sum);
    }

    /** Empty where slips led below zero: such a text would teach nothing about the task. */
    private static Optional<String> solution(SplitMix64 random, Sum sum) {
        StringBuilder text = new StringBuilder();
        int value = sum.start();
        for (Operation operation : sum.operations()) {
            Way.Step step = Way.draw(random, operation.sign()).work(random, value, operation);
            if (step.value() < 0) {
                return Optional.empty();
            }
            text.append(step.text());
            value = step.value();
        }
        return Optional.of(text.append("Answer: ").append(value).toString());
    }

    private static String verb(SplitMix64 random, Sign sign) {
        return pick(random, sign == Sign.PLUS ? GAINS : LOSSES);
    }

    private static String pick(SplitMix64 random, List<String> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
