package dev.rlvr.trainer.rollout;

import java.util.Arrays;
import java.util.List;

/** All answers of a call by prompt, for callers that want them together. */
public final class Gathering implements AnswerSource.Finished {
    private final Sample[][] samples;

    /** Room for so many answers to each prompt. */
    public Gathering(int prompts, int answers) {
        this.samples = new Sample[prompts][answers];
    }

    @Override
    public void accept(int prompt, int answer, Sample sample) {
        samples[prompt][answer] = sample;
    }

    /** The answers of prompt p at position p, once all are there. */
    public List<List<Sample>> samples() {
        return Arrays.stream(samples).map(List::of).toList();
    }
}
