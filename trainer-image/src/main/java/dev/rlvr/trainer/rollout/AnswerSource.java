package dev.rlvr.trainer.rollout;

import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.model.Drawing;
import java.util.List;

/** Where answers come from: the trainer's own {@link Sampler}, or rollout servers. Used by one thread. */
public interface AnswerSource extends AutoCloseable {
    /**
     * How to sample.
     *
     * @param answers per prompt
     * @param longest answer in tokens
     */
    record Settings(int answers, Drawing drawing, int longest) {
        /** From the full distribution. */
        public Settings(int answers, double temperature, int longest) {
            this(answers, new Drawing(temperature, 1, 0), longest);
        }
    }

    /** Gives the random numbers of an answer by (prompt, answer), both from 0; equal arguments give equal streams. */
    @FunctionalInterface
    interface Streams {
        SplitMix64 of(int prompt, int answer);
    }

    /** Takes answers as they are finished, on the thread that asked for them; prompts and answers count from 0. */
    @FunctionalInterface
    interface Finished {
        void accept(int prompt, int answer, Sample sample);
    }

    /**
     * Samples answers to prompts.
     *
     * @param prompts token ids
     * @return the answers of prompt p at position p, {@code settings.answers()} each
     */
    List<List<Sample>> sample(List<List<Integer>> prompts, Settings settings, Streams streams)
            throws InterruptedException;

    /**
     * Samples answers to prompts and hands each over at once.
     *
     * @throws StoppedException if the process is asked to stop meanwhile
     */
    void sample(List<List<Integer>> prompts, Settings settings, Streams streams, Finished finished)
            throws InterruptedException;

    /** Answers are sampled with the weights of this moment until it is closed. */
    @FunctionalInterface
    interface Session extends AutoCloseable {
        @Override
        void close();
    }

    /** Makes the current weights ready to sample with; all ranks call it, each on the thread that changes its weights. */
    Session open();

    /** Says that the weights are now those after so many finished steps: what is sampled from now on is sampled with these. */
    void weightsChanged(int step);

    @Override
    void close();
}
