package dev.rlvr.trainer;

import dev.rlvr.crds.EvaluationSpec;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.trainer.data.Problem;
import dev.rlvr.trainer.reward.Verdict;
import dev.rlvr.trainer.reward.VerifierPool;
import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.RandomStreams;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.rollout.SharedAnswers;
import dev.rlvr.trainer.rollout.TextCodec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Measures the policy on held-out problems. */
final class Evaluator {
    private final AnswerSource source;
    private final TextCodec codec;
    private final VerifierPool verifiers;
    private final SharedAnswers shared;
    private final int longest;
    private final long seed;

    Evaluator(
            AnswerSource source,
            TextCodec codec,
            VerifierPool verifiers,
            SharedAnswers shared,
            int longest,
            long seed) {
        this.source = source;
        this.codec = codec;
        this.verifiers = verifiers;
        this.shared = shared;
        this.longest = longest;
        this.seed = seed;
    }

    /**
     * Samples and verifies answers to all problems of a set.
     *
     * @param step finished steps; random numbers do not depend on it, so that two measurements differ by the policy alone
     */
    Evaluation measure(Inputs.HeldOut heldOut, int step) throws InterruptedException {
        EvaluationSpec spec = heldOut.spec();
        List<List<Integer>> prompts = heldOut.problems().stream()
                .map(problem -> codec.encode(problem.prompt()))
                .toList();
        double[] alike = new double[prompts.size()];
        Arrays.fill(alike, longest);
        List<SharedAnswers.Answer> answers = shared.all(
                        alike, spec.samples(), share -> answers(heldOut, prompts, share))
                .answers();
        return summarise(
                spec,
                step,
                answers.stream().map(SharedAnswers.Answer::verdict).toList(),
                verifiers.answers(IntStream.range(0, answers.size())
                        .mapToObj(i -> attempt(
                                heldOut, i / spec.samples(), answers.get(i).response()))
                        .toList()));
    }

    private List<SharedAnswers.Answer> answers(
            Inputs.HeldOut heldOut, List<List<Integer>> prompts, SharedAnswers.Share share)
            throws InterruptedException {
        EvaluationSpec spec = heldOut.spec();
        List<List<Sample>> samples = source.sample(
                share.of(prompts),
                new AnswerSource.Settings(share.each(), spec.temperature(), longest),
                share.streams((prompt, answer) -> RandomStreams.of(
                        RandomStreams.Purpose.EVALUATION, seed, spec.name().hashCode(), prompt, answer)));
        List<Problem> problems = share.of(heldOut.problems());
        List<VerifierPool.Attempt> attempts = new ArrayList<>();
        for (int i = 0; i < problems.size(); i++) {
            for (Sample sample : samples.get(i)) {
                attempts.add(new VerifierPool.Attempt(
                        codec.decode(sample.tokens()), problems.get(i).answer()));
            }
        }
        List<Verdict> verdicts = verifiers.verify(attempts);
        List<Sample> flat = samples.stream().flatMap(List::stream).toList();
        return IntStream.range(0, flat.size())
                .mapToObj(i ->
                        new SharedAnswers.Answer(flat.get(i), attempts.get(i).response(), verdicts.get(i)))
                .toList();
    }

    private static VerifierPool.Attempt attempt(Inputs.HeldOut heldOut, int problem, String response) {
        return new VerifierPool.Attempt(
                response, heldOut.problems().get(problem).answer());
    }

    private static Evaluation summarise(EvaluationSpec spec, int step, List<Verdict> verdicts, List<String> answers) {
        int problems = verdicts.size() / spec.samples();
        long right = 0;
        int passed = 0;
        int majority = 0;
        for (int from = 0; from < verdicts.size(); from += spec.samples()) {
            List<Verdict> here = verdicts.subList(from, from + spec.samples());
            long rightHere = here.stream().filter(v -> v == Verdict.Right).count();
            right += rightHere;
            passed += rightHere > 0 ? 1 : 0;
            majority += here.get(winner(answers.subList(from, from + spec.samples()))) == Verdict.Right ? 1 : 0;
        }
        return new Evaluation(
                spec.name(),
                step,
                problems,
                spec.samples(),
                (double) right / verdicts.size(),
                (double) passed / problems,
                (double) majority / problems,
                null);
    }

    /** Position of the first answer that no other outvotes. */
    private static int winner(List<String> answers) {
        return IntStream.range(0, answers.size())
                .boxed()
                .max(Comparator.comparingInt((Integer i) -> Collections.frequency(answers, answers.get(i)))
                        .thenComparing(Comparator.reverseOrder()))
                .orElseThrow();
    }
}
