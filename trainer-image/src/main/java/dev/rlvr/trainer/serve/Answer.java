package dev.rlvr.trainer.serve;

import dev.rlvr.trainer.rollout.Sample;

/** What became of an {@link Ask}. */
sealed interface Answer {
    /**
     * A whole answer.
     *
     * @param version of the weights that it was sampled with
     */
    record Given(Sample sample, String version) implements Answer {}

    /** None: generation was paused, or the server is stopping. */
    record Aborted(String version) implements Answer {}
}
