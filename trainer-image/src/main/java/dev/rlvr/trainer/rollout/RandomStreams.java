package dev.rlvr.trainer.rollout;

import java.util.SplittableRandom;

/**
 * Random numbers as a function of what they are for, never of what was drawn before: a resumed run draws the same ones. Keys are mixed with
 * the finaliser of SplitMix64 (https://doi.org/10.1145/2714064.2660195).
 */
public final class RandomStreams {
    private RandomStreams() {}

    /** What a stream is for. */
    public enum Purpose {
        ROLLOUT,
        EVALUATION,
        MASK,
        MINI_BATCHES
    }

    /** The stream of that purpose and keys; equal arguments give equal numbers. */
    public static SplittableRandom of(Purpose purpose, long... keys) {
        long state = mix(purpose.name().hashCode());
        for (long key : keys) {
            state = mix(state ^ mix(key));
        }
        return new SplittableRandom(state);
    }

    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
