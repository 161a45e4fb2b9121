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
    private final Sampler sampler;
    private final VerifierPool verifiers;
    private final InstantSource clock;

    public Rollouts(
            RLVRJobSpec spec,
            ProblemStream problems,
            TextCodec codec,
            Sampler sampler,
            VerifierPool verifiers,
            InstantSource clock) {
        this.spec = spec;
        this.problems = problems;
        this.codec = codec;
        this.sampler = sampler;
        this.verifiers = verifiers;
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
     */
    public record Batch(List<Group> all, List<Group> used, long problemsDrawn, Duration sampling, Duration verifying) {
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
     */
    public Batch collect(int step, long problemsDrawn) throws InterruptedException {
        int wanted = spec.algorithm().promptsPerBatch();
        List<Group> all = new ArrayList<>();
        List<Group> used = new ArrayList<>();
        long position = problemsDrawn;
        Duration sampling = Duration.ZERO;
        Duration verifying = Duration.ZERO;
        for (int rollout = 0; rollout <= refills() && used.size() < wanted; rollout++) {
            List<Problem> drawn = problems.take(position, wanted);
            position += wanted;
            int offset = rollout * wanted;
            Round round = round(
                    drawn,
                    (prompt, answer) -> RandomStreams.of(
                            RandomStreams.Purpose.ROLLOUT, spec.algorithm().seed(), step, offset + prompt, answer));
            sampling = sampling.plus(round.sampling());
            verifying = verifying.plus(round.verifying());
            all.addAll(round.groups());
            round.groups().stream()
                    .filter(group -> !spec.algorithm().dynamicSampling().enabled() || group.carriesSignal())
                    .limit(wanted - used.size())
                    .forEach(used::add);
        }
        return new Batch(all, used, position, sampling, verifying);
    }

    private record Round(List<Group> groups, Duration sampling, Duration verifying) {}

    /** Answers to one draw of problems; each is verified while others are still being written. */
    private Round round(List<Problem> drawn, Sampler.Streams streams) throws InterruptedException {
        long start = clock.millis();
        List<List<Integer>> prompts =
                drawn.stream().map(problem -> codec.encode(problem.prompt())).toList();
        int size = spec.algorithm().groupSize();
        Sample[] samples = new Sample[drawn.size() * size];
        String[] responses = new String[samples.length];
        try (VerifierPool.Verification verification = verifiers.verification()) {
            sampler.sample(prompts, settings(), streams, (prompt, answer, sample) -> {
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
            Duration waited = Duration.ofMillis(clock.millis() - sampled);
            List<Group> groups = new ArrayList<>();
            for (int p = 0; p < drawn.size(); p++) {
                int from = p * size;
                groups.add(group(
                        drawn.get(p),
                        prompts.get(p),
                        Arrays.asList(samples).subList(from, from + size),
                        Arrays.asList(responses).subList(from, from + size),
                        verdicts.subList(from, from + size)));
            }
            return new Round(groups, Duration.ofMillis(sampled - start), waited);
        }
    }

    private int refills() {
        var dynamic = spec.algorithm().dynamicSampling();
        return dynamic.enabled() ? dynamic.maxRefills() : 0;
    }

    private Sampler.Settings settings() {
        return new Sampler.Settings(
                spec.algorithm().groupSize(),
                new Drawing(
                        spec.rollout().temperature(),
                        spec.rollout().topP(),
                        spec.rollout().topK()),
                spec.rollout().maxResponseTokens());
    }

    private Group group(
            Problem problem,
            List<Integer> prompt,
            List<Sample> samples,
            List<String> responses,
            List<Verdict> verdicts) {
        RewardSpec.Overlong overlong = spec.reward().overlong();
        double[] rewards = new double[samples.size()];
        for (int i = 0; i < rewards.length; i++) {
            double shaping = overlong == null
                    ? 0
                    : OverlongPenalty.of(overlong, samples.get(i).length());
            rewards[i] = verdicts.get(i).reward() + shaping;
        }
        return new Group(
                problem, prompt, samples, responses, verdicts, boxed(rewards), boxed(Advantages.ofGroup(rewards)));
    }

    private static List<Double> boxed(double[] values) {
        return java.util.Arrays.stream(values).boxed().toList();
    }
}
