package dev.rlvr.trainer.rollout;

import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.RewardSpec;
import dev.rlvr.trainer.data.Problem;
import dev.rlvr.trainer.data.ProblemStream;
import dev.rlvr.trainer.model.Drawing;
import dev.rlvr.trainer.objective.Advantages;
import dev.rlvr.trainer.reward.OverlongPenalty;
import dev.rlvr.trainer.reward.Verdict;
import dev.rlvr.trainer.reward.VerifierPool;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Collects the groups of a step: prompts, answers, verdicts, advantages; refilled until enough groups carry a signal (DAPO). */
public final class Rollouts {
    private final RLVRJobSpec spec;
    private final ProblemStream problems;
    private final TextCodec codec;
    private final AnswerSource source;
    private final VerifierPool verifiers;
    private final SharedAnswers shared;
    private final InstantSource clock;

    public Rollouts(
            RLVRJobSpec spec,
            ProblemStream problems,
            TextCodec codec,
            AnswerSource source,
            VerifierPool verifiers,
            SharedAnswers shared,
            InstantSource clock) {
        this.spec = spec;
        this.problems = problems;
        this.codec = codec;
        this.source = source;
        this.verifiers = verifiers;
        this.shared = shared;
        this.clock = clock;
    }

    /**
     * The groups of one step.
     *
     * @param all every group that was sampled
     * @param used those that the policy is updated on, at most {@code promptsPerBatch}
     * @param problemsDrawn position in the stream of problems afterwards
     * @param sampling time spent sampling
     * @param verifying time waited for verdicts after the last answer; verifying goes on while others are sampled
     * @param waiting time that a rank, on average, waited for the slowest to sample and verify
     */
    public record Batch(
            List<Group> all,
            List<Group> used,
            long problemsDrawn,
            Duration sampling,
            Duration verifying,
            Duration waiting) {
        public Batch {
            all = List.copyOf(all);
            used = List.copyOf(used);
        }
    }

    /**
     * Samples and verifies.
     *
     * @param step from 0; with the seed it decides all random numbers
     * @param problemsDrawn position in the stream of problems
     * @param lengths of earlier answers, by which ranks share the work
     */
    public Batch collect(int step, long problemsDrawn, LengthHistory lengths) throws InterruptedException {
        int wanted = spec.algorithm().promptsPerBatch();
        List<Group> all = new ArrayList<>();
        List<Group> used = new ArrayList<>();
        long position = problemsDrawn;
        Duration sampling = Duration.ZERO;
        Duration verifying = Duration.ZERO;
        Duration waiting = Duration.ZERO;
        for (int rollout = 0; rollout <= refills() && used.size() < wanted; rollout++) {
            List<Problem> drawn = problems.take(position, wanted);
            position += wanted;
            int offset = rollout * wanted;
            Round round = round(
                    drawn,
                    lengths.expected(drawn),
                    (prompt, answer) -> RandomStreams.of(
                            RandomStreams.Purpose.ROLLOUT, spec.algorithm().seed(), step, offset + prompt, answer));
            sampling = sampling.plus(round.sampling());
            verifying = verifying.plus(round.verifying());
            waiting = waiting.plus(round.waiting());
            all.addAll(round.groups());
            round.groups().stream()
                    .filter(group -> !spec.algorithm().dynamicSampling().enabled() || group.carriesSignal())
                    .limit(wanted - used.size())
                    .forEach(used::add);
        }
        return new Batch(all, used, position, sampling, verifying, waiting);
    }

    private record Round(List<Group> groups, Duration sampling, Duration verifying, Duration waiting) {}

    /** Answers to one draw of problems, of all ranks. */
    private Round round(List<Problem> drawn, double[] expected, AnswerSource.Streams streams)
            throws InterruptedException {
        long start = clock.millis();
        List<List<Integer>> prompts =
                drawn.stream().map(problem -> codec.encode(problem.prompt())).toList();
        int size = spec.algorithm().groupSize();
        long[] waited = {0};
        SharedAnswers.Outcome outcome = shared.all(expected, size, share -> {
            Verified mine = verified(share.of(drawn), share.of(prompts), share.each(), share.streams(streams));
            waited[0] = mine.waited();
            return mine.answers();
        });
        List<SharedAnswers.Answer> answers = outcome.answers();
        List<Group> groups = new ArrayList<>();
        for (int p = 0; p < drawn.size(); p++) {
            groups.add(group(drawn.get(p), prompts.get(p), answers.subList(p * size, (p + 1) * size)));
        }
        Duration sampling = Duration.ofMillis(clock.millis() - start - waited[0]);
        return new Round(groups, sampling, Duration.ofMillis(waited[0]), outcome.waited());
    }

    /** Verified answers, and the milliseconds waited for verdicts after the last of them. */
    private record Verified(List<SharedAnswers.Answer> answers, long waited) {}

    /** Samples answers; each is verified while others are still being written. */
    private Verified verified(List<Problem> drawn, List<List<Integer>> prompts, int size, AnswerSource.Streams streams)
            throws InterruptedException {
        Sample[] samples = new Sample[drawn.size() * size];
        String[] responses = new String[samples.length];
        try (VerifierPool.Verification verification = verifiers.verification()) {
            source.sample(prompts, settings(size), streams, (prompt, answer, sample) -> {
                int at = prompt * size + answer;
                samples[at] = sample;
                responses[at] = codec.decode(sample.tokens());
                verification.begin(
                        at,
                        new VerifierPool.Attempt(
                                responses[at], drawn.get(prompt).answer()));
            });
            long sampled = clock.millis();
            List<Verdict> verdicts = verification.verdicts();
            List<SharedAnswers.Answer> answers = new ArrayList<>();
            for (int i = 0; i < samples.length; i++) {
                answers.add(new SharedAnswers.Answer(samples[i], responses[i], verdicts.get(i)));
            }
            return new Verified(answers, clock.millis() - sampled);
        }
    }

    private int refills() {
        var dynamic = spec.algorithm().dynamicSampling();
        return dynamic.enabled() ? dynamic.maxRefills() : 0;
    }

    private AnswerSource.Settings settings(int answers) {
        return new AnswerSource.Settings(
                answers,
                new Drawing(
                        spec.rollout().temperature(),
                        spec.rollout().topP(),
                        spec.rollout().topK()),
                spec.rollout().maxResponseTokens());
    }

    private Group group(Problem problem, List<Integer> prompt, List<SharedAnswers.Answer> answers) {
        RewardSpec.Overlong overlong = spec.reward().overlong();
        double[] rewards = new double[answers.size()];
        for (int i = 0; i < rewards.length; i++) {
            SharedAnswers.Answer answer = answers.get(i);
            double shaping = overlong == null
                    ? 0
                    : OverlongPenalty.of(overlong, answer.sample().length());
            rewards[i] = answer.verdict().reward() + shaping;
        }
        return new Group(
                problem,
                prompt,
                answers.stream().map(SharedAnswers.Answer::sample).toList(),
                answers.stream().map(SharedAnswers.Answer::response).toList(),
                answers.stream().map(SharedAnswers.Answer::verdict).toList(),
                boxed(rewards),
                boxed(Advantages.ofGroup(rewards)));
    }

    private static List<Double> boxed(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
