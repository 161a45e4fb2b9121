package dev.rlvr.trainer.collectives;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What the ranks of a job do together. All ranks make the same calls in the same order, each from one thread. Sums are made in F32 and in the
 * order of the ranks, so the same ranks give the same bits. A lost or silent rank ends a call with {@link LostRankException}.
 */
public interface Collectives extends AutoCloseable {
    /** This rank, from 0. */
    int rank();

    /** Number of ranks, at least 1. */
    int size();

    /**
     * A group of some of these ranks; each rank opens the one that it belongs to.
     *
     * @param name the same for all its members, and no other group's
     * @param rank of this process in it
     * @param size of it
     */
    Collectives among(String name, int rank, int size);

    /** A transfer under way; the tensors that were given must not change before it has been awaited. */
    @FunctionalInterface
    interface Pending {
        /** Waits for the result. */
        NDArray await();
    }

    /**
     * Sums tensors over the ranks; each rank gets one share of the sum.
     *
     * @param whole F32 {@code [size() * n]}
     * @param travels FLOAT32, or BFLOAT16 for half of the bytes; the sum is made in F32
     * @param sum gets this rank's share of the sum, F32 {@code [n]}; may be that share of {@code whole} itself
     */
    Pending reduceScatter(NDArray whole, NDArray sum, DataType travels);

    /**
     * Puts the shares of all ranks together.
     *
     * @param share {@code [n]}; may be this rank's share of {@code whole} itself
     * @param whole gets the shares in order, {@code [size() * n]}, of the same type
     */
    Pending allGather(NDArray share, NDArray whole);

    /** What each rank gave, in order of the ranks; lengths may differ. */
    List<byte[]> gather(byte[] mine);

    /** Sums in F64, entry by entry and in order of the ranks. */
    default double[] sum(double... mine) {
        ByteBuffer bytes = ByteBuffer.allocate(mine.length * Double.BYTES);
        bytes.asDoubleBuffer().put(mine);
        double[] sum = new double[mine.length];
        for (byte[] theirs : gather(bytes.array())) {
            ByteBuffer values = ByteBuffer.wrap(theirs);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += values.getDouble(i * Double.BYTES);
            }
        }
        return sum;
    }

    /** The arrays of all ranks, in order; lengths may differ. */
    default List<float[]> gather(float[] mine) {
        ByteBuffer bytes = ByteBuffer.allocate(mine.length * Float.BYTES);
        bytes.asFloatBuffer().put(mine);
        return gather(bytes.array()).stream()
                .map(theirs -> {
                    float[] values = new float[theirs.length / Float.BYTES];
                    ByteBuffer.wrap(theirs).asFloatBuffer().get(values);
                    return values;
                })
                .toList();
    }

    /** Whether any rank says yes. */
    default boolean any(boolean mine) {
        return gather(new byte[] {(byte) (mine ? 1 : 0)}).stream().anyMatch(theirs -> theirs[0] != 0);
    }

    /** What rank 0 says. */
    default long first(long mine) {
        return ByteBuffer.wrap(
                        gather(ByteBuffer.allocate(Long.BYTES).putLong(mine).array())
                                .getFirst())
                .getLong();
    }

    /** Returns once all ranks are here. */
    default void barrier() {
        gather(new byte[0]);
    }

    /** No other ranks: what is small is returned at once, and nothing is ever split. */
    static Collectives alone() {
        return Alone.INSTANCE;
    }

    @Override
    void close();
}
