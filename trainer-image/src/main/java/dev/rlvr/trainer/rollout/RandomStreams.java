package dev.rlvr.trainer.rollout;

import dev.rlvr.trainer.data.SplitMix64;
import java.util.stream.LongStream;

/**
 * Random numbers as a function of what they are for, never of what was drawn before: a resumed run draws the same ones.
 */
public final class RandomStreams {
    private RandomStreams() {}

    /** What a stream is for. */
    public enum Purpose {
        ROLLOUT(1),
        EVALUATION(2),
        MASK(3),
        MINI_BATCHES(4);

        private final long key;

        Purpose(long key) {
            this.key = key;
        }
    }

    /** The stream of that purpose and keys; equal arguments give equal numbers. */
    public static SplitMix64 of(Purpose purpose, long... keys) {
        long[] seed = LongStream.concat(LongStream.of(purpose.key), LongStream.of(keys))
                .toArray();
        return new SplitMix64(seed);
    }
}
