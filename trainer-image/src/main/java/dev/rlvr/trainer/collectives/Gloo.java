package dev.rlvr.trainer.collectives;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.trainer.torch.Script;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * Ranks that talk over Gloo, called from TorchScript by the group's name. A reduction is an exchange of shares and a sum of one's own: fewer
 * bytes than Gloo's own, which reduces everything everywhere, and the sum is F32 also where BF16 is sent.
 */
public final class Gloo implements Collectives {
    private static final String SCRIPT = """
              def exchange(self: __torch__.M, x: Tensor, splits: List[int], type: int) -> Tensor:
                return ops._c10d_functional.all_to_all_single(torch.to(x, type), splits, splits, "$GROUP")
              def total(self: __torch__.M, y: Tensor, n: int, sum: Tensor) -> Tensor:
                return torch.sum(torch.view(ops._c10d_functional.wait_tensor(y), [n, -1]), [0], False, dtype=6, out=sum)
              def gather(self: __torch__.M, x: Tensor, n: int) -> Tensor:
                return ops._c10d_functional.wait_tensor(ops._c10d_functional.all_gather_into_tensor(x, n, "$GROUP"))
              def gather_into(self: __torch__.M, x: Tensor, n: int, whole: Tensor) -> Tensor:
                return ops._c10d_functional.all_gather_into_tensor_out(x, n, "$GROUP", out=whole)
              def wait(self: __torch__.M, y: Tensor) -> Tensor:
                return ops._c10d_functional.wait_tensor(y)
            """;

    private final Meeting meeting;
    private final NDManager owner;
    private final Script script;
    private final MemorySegment store;

    private Gloo(Meeting meeting, NDManager owner, MemorySegment store) {
        this.meeting = meeting;
        this.owner = owner;
        this.script = Script.compile(SCRIPT.replace("$GROUP", meeting.group()));
        this.store = store;
    }

    /**
     * Meets the other ranks; returns once all are there.
     *
     * @param owner manager that lives as long as the group
     * @throws LostRankException if rank 0 cannot be reached in time
     */
    public static Gloo open(Meeting meeting, NDManager owner) throws InterruptedException {
        return new Gloo(meeting, owner.newSubManager(Device.cpu()), ProcessGroup.open(meeting));
    }

    @Override
    public Collectives among(String name, int rank, int size) {
        if (size == 1) {
            return Collectives.alone();
        }
        Meeting some = meeting.among(name, rank, size);
        ProcessGroup.open(some, store, name);
        return new Gloo(some, owner.newSubManager(Device.cpu()), store);
    }

    @Override
    public int rank() {
        return meeting.rank();
    }

    @Override
    public int size() {
        return meeting.size();
    }

    @Override
    public Pending reduceScatter(NDArray whole, NDArray sum, DataType travels) {
        long[] splits = new long[size()];
        Arrays.fill(splits, whole.size() / size());
        NDArray exchanged = guarded(() -> script.tensor(owner, "exchange", whole, splits, scalarType(travels)));
        return () -> {
            try (exchanged;
                    NDArray _ = guarded(() -> script.tensor(owner, "total", exchanged, size(), sum))) {
                return sum;
            }
        };
    }

    /** As TorchScript counts number formats. */
    private static int scalarType(DataType travels) {
        return travels == DataType.BFLOAT16 ? 15 : 6;
    }

    @Override
    public Pending allGather(NDArray share, NDArray whole) {
        NDArray gathered = guarded(() -> script.tensor(owner, "gather_into", share, size(), whole));
        return () -> {
            try (gathered;
                    NDArray _ = guarded(() -> script.tensor(owner, "wait", gathered))) {
                return whole;
            }
        };
    }

    @Override
    public List<byte[]> gather(byte[] mine) {
        try (NDManager scope = owner.newSubManager()) {
            long[] lengths = guarded(
                            () -> script.tensor(scope, "gather", scope.create(new long[] {mine.length}), size()))
                    .toLongArray();
            // at least one byte: an empty tensor would not wait for the others
            int longest =
                    Math.toIntExact(Math.max(1, Arrays.stream(lengths).max().orElse(0)));
            NDArray sent = scope.zeros(new Shape(longest), DataType.INT8);
            LibTorch.buffer(sent).put(mine);
            NDArray received = guarded(() -> script.tensor(scope, "gather", sent, size()));
            ByteBuffer all = LibTorch.buffer(received);
            List<byte[]> parts = new ArrayList<>();
            for (int r = 0; r < size(); r++) {
                byte[] part = new byte[(int) lengths[r]];
                all.get(r * longest, part);
                parts.add(part);
            }
            return parts;
        }
    }

    /** libtorch says in a long message of its own that a connection was closed or that a wait has timed out. */
    private <T> T guarded(Supplier<T> call) {
        try {
            return call.get();
        } catch (EngineException e) {
            String said = String.valueOf(e.getMessage());
            boolean late = said.contains("Timed out") || said.contains("timeout");
            throw new LostRankException(
                    "rank %d %s"
                            .formatted(
                                    rank(),
                                    late
                                            ? "has waited %d s for another rank"
                                                    .formatted(meeting.timeout().toSeconds())
                                            : "lost its connection to another rank"),
                    e);
        }
    }

    /** The group itself stays open until the process ends: libtorch has no way to leave one that may be broken. */
    @Override
    public void close() {
        script.close();
        owner.close();
    }
}
