package dev.rlvr.trainer.rollout;

import dev.rlvr.trainer.data.Problem;
import dev.rlvr.trainer.reward.Verdict;
import java.util.List;

/**
 * One problem and the answers sampled to it, verified.
 *
 * @param prompt token ids of the problem's prompt
 * @param samples the answers
 * @param responses their texts
 * @param verdicts what the verifier said of each
 * @param rewards after shaping
 * @param advantages within the group
 */
public record Group(
        Problem problem,
        List<Integer> prompt,
        List<Sample> samples,
        List<String> responses,
        List<Verdict> verdicts,
        List<Double> rewards,
        List<Double> advantages) {
    public Group {
        prompt = List.copyOf(prompt);
        samples = List.copyOf(samples);
        responses = List.copyOf(responses);
        verdicts = List.copyOf(verdicts);
        rewards = List.copyOf(rewards);
        advantages = List.copyOf(advantages);
    }

    /** Whether the answers differ in accuracy: groups that are all right or all wrong carry no signal (DAPO). */
    public boolean carriesSignal() {
        return verdicts.stream().mapToDouble(Verdict::reward).distinct().count() > 1;
    }
}
