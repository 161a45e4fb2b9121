package dev.rlvr.trainer.collectives;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.List;

/** A job of one rank. */
enum Alone implements Collectives {
    INSTANCE;

    private static final String NOTHING = "one rank has everything";

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public int size() {
        return 1;
    }

    @Override
    public Collectives among(String name, int rank, int size) {
        return this;
    }

    @Override
    public Pending reduceScatter(NDArray whole, NDArray sum, DataType travels) {
        throw new IllegalStateException(NOTHING);
    }

    @Override
    public Pending allGather(NDArray share, NDArray whole) {
        throw new IllegalStateException(NOTHING);
    }

    @Override
    public List<byte[]> gather(byte[] mine) {
        return List.of(mine);
    }

    @Override
    public void close() {
        // nothing is open
    }
}
