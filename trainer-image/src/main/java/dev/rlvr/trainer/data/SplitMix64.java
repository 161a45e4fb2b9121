package dev.rlvr.trainer.data;

import java.util.random.RandomGenerator;

/**
 * A small random generator whose numbers are a function of its seed on every machine and every JDK (SplitMix64, Steele,
 * Lea and Flood 2014). Neighbouring seeds give unrelated sequences.
 */
public final class SplitMix64 implements RandomGenerator {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private long state;

    /** A generator for a purpose: the parts of the seed are mixed in their order. */
    public SplitMix64(long... seed) {
        for (long part : seed) {
            state = mix(state + GOLDEN) ^ mix(part + GOLDEN);
        }
    }

    /** Goes on from where another generator's {@link #state} was taken. */
    public static SplitMix64 at(long state) {
        SplitMix64 generator = new SplitMix64();
        generator.state = state;
        return generator;
    }

    /** All that the numbers to come depend on. */
    public long state() {
        return state;
    }

    /** The next 64 random bits. */
    @Override
    public long nextLong() {
        state += GOLDEN;
        return mix(state);
    }

    /** A number in {@code [0, bound)}; its bias is below {@code bound / 2^64}. */
    @Override
    public int nextInt(int bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("bound must be positive, not " + bound);
        }
        return (int) Long.remainderUnsigned(nextLong(), bound);
    }

    /** A number in {@code [0, 1)} with 53 random bits. */
    @Override
    public double nextDouble() {
        return (nextLong() >>> 11) * 0x1.0p-53;
    }

    private static long mix(long z) {
        long once = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long twice = (once ^ (once >>> 27)) * 0x94D049BB133111EBL;
        return twice ^ (twice >>> 31);
    }
}
