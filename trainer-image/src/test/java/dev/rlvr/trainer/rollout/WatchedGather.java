package dev.rlvr.trainer.rollout;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.rlvr.trainer.collectives.Collectives;
import java.util.ArrayList;
import java.util.List;

/** A group that notes how many bytes each of its gathers has brought. */
final class WatchedGather implements Collectives {
    private final Collectives group;
    private final List<Integer> received = new ArrayList<>();

    WatchedGather(Collectives group) {
        this.group = group;
    }

    List<Integer> received() {
        return received;
    }

    @Override
    public List<byte[]> gather(byte[] mine) {
        List<byte[]> parts = group.gather(mine);
        received.add(parts.stream().mapToInt(part -> part.length).sum());
        return parts;
    }

    @Override
    public int rank() {
        return group.rank();
    }

    @Override
    public int size() {
        return group.size();
    }

    @Override
    public Collectives among(String name, int rank, int size) {
        return group.among(name, rank, size);
    }

    @Override
    public Pending reduceScatter(NDArray whole, NDArray sum, DataType travels) {
        return group.reduceScatter(whole, sum, travels);
    }

    @Override
    public Pending allGather(NDArray share, NDArray whole) {
        return group.allGather(share, whole);
    }

    @Override
    public void close() {
        group.close();
    }
}
