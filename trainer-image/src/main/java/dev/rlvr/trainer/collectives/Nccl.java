package dev.rlvr.trainer.collectives;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.trainer.collectives.NcclLibrary.Status;
import dev.rlvr.trainer.torch.CudaDriver;
import dev.rlvr.trainer.torch.CudaDriver.CudaException;
import dev.rlvr.trainer.torch.Script;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/**
 * Ranks whose tensors lie on GPUs, one each: tensors travel by NCCL on a stream of their own, all else by a group of the same ranks on the CPU. No
 * call blocks: what has been begun is polled, for its end, for NCCL's asynchronous errors and for the time; then the communicator is aborted. As
 * with {@link Gloo} a reduction is an exchange of shares and a sum of one's own, in the order of the ranks.
 */
public final class Nccl implements Collectives {
    private static final String SCRIPT = """
              def sent(self: __torch__.M, x: Tensor, type: int) -> Tensor:
                return torch.to(x, type)
              def room(self: __torch__.M, like: Tensor) -> Tensor:
                return torch.empty_like(like)
              def total(self: __torch__.M, y: Tensor, n: int, sum: Tensor) -> Tensor:
                parts = torch.view(y, [n, -1])
                torch.copy_(sum, torch.select(parts, 0, 0))
                for i in range(n - 1):
                  torch.add_(sum, torch.select(parts, 0, i + 1))
                return sum
            """;

    private static final long FIRST_PAUSE_NANOS = 10_000;
    private static final long LONGEST_PAUSE_NANOS = 500_000;

    /** Number formats of tensors that travel, as TorchScript and NCCL number them. */
    private enum Format {
        F32(6, NcclLibrary.Type.FLOAT32, 4),
        BF16(15, NcclLibrary.Type.BFLOAT16, 2);

        private final int scalarType;
        private final int type;
        private final int bytes;

        Format(int scalarType, int type, int bytes) {
            this.scalarType = scalarType;
            this.type = type;
            this.bytes = bytes;
        }

        static Format of(int scalarType) {
            return Arrays.stream(values())
                    .filter(format -> format.scalarType == scalarType)
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no tensors of type " + scalarType + " travel"));
        }
    }

    private final Collectives control;
    private final Duration timeout;
    private final NcclLibrary library;
    private final CudaDriver driver;
    private final NDManager owner;
    private final Script script = Script.compile(SCRIPT);
    private final MemorySegment stream;
    private MemorySegment communicator = MemorySegment.NULL;

    private Nccl(
            Collectives control,
            Duration timeout,
            NcclLibrary library,
            CudaDriver driver,
            NDManager owner,
            MemorySegment stream) {
        this.control = control;
        this.timeout = timeout;
        this.library = library;
        this.driver = driver;
        this.owner = owner.newSubManager();
        this.stream = stream;
    }

    /**
     * Meets the other ranks; returns once all are there. To be called by the thread that trains, after {@link CudaDriver#use}.
     *
     * @param control group of the same ranks on the CPU; is closed with this one
     * @param timeout longest that one call waits for the slowest rank
     * @param owner manager of the GPU that lives as long as the group
     * @throws LostRankException if another rank or a GPU fails, or not all ranks come in time
     */
    public static Nccl open(
            Collectives control, Duration timeout, NcclLibrary library, CudaDriver driver, NDManager owner) {
        return open(control, timeout, library, driver, owner, driver.stream());
    }

    private static Nccl open(
            Collectives control,
            Duration timeout,
            NcclLibrary library,
            CudaDriver driver,
            NDManager owner,
            MemorySegment stream) {
        Nccl group = new Nccl(control, timeout, library, driver, owner, stream);
        group.meet();
        return group;
    }

    private void meet() {
        byte[] mine = rank() == 0 ? library.uniqueId() : new byte[0];
        byte[] id = control.gather(mine).getFirst();
        NcclLibrary.Begun begun = library.begin(id, rank(), size());
        communicator = begun.communicator();
        settle("ncclCommInitRankConfig", begun.status());
    }

    /** The sub-group shares the stream, so that transfers of several groups never wait for each other on the GPU in different orders. */
    @Override
    public Collectives among(String name, int rank, int size) {
        Collectives some = control.among(name, rank, size);
        return size == 1 ? some : open(some, timeout, library, driver, owner, stream);
    }

    @Override
    public int rank() {
        return control.rank();
    }

    @Override
    public int size() {
        return control.size();
    }

    @Override
    public Pending reduceScatter(NDArray whole, NDArray sum, DataType travels) {
        Format format = travels == DataType.BFLOAT16 ? Format.BF16 : Format.F32;
        NDArray sent = script.tensor(owner, "sent", whole, format.scalarType);
        NDArray received = script.tensor(owner, "room", sent);
        long share = whole.size() / size();
        long bytes = share * format.bytes;
        long from = LibTorch.address(sent);
        long to = LibTorch.address(received);
        CudaDriver.Mark done = transfer("exchange", () -> exchange(from, to, share, bytes, format.type));
        return () -> {
            try (sent;
                    received) {
                await("exchange", done);
                script.tensor(owner, "total", received, size(), sum).close();
                return sum;
            }
        };
    }

    /** One group of calls: each rank sends to all, itself included, and receives from all at the same time. */
    private int exchange(long from, long to, long share, long bytes, int type) {
        require("ncclGroupStart", library.groupStart());
        for (int peer = 0; peer < size(); peer++) {
            require("ncclSend", library.send(from + peer * bytes, share, type, peer, communicator, stream));
            require("ncclRecv", library.receive(to + peer * bytes, share, type, peer, communicator, stream));
        }
        return library.groupEnd();
    }

    @Override
    public Pending allGather(NDArray share, NDArray whole) {
        long from = LibTorch.address(share);
        long to = LibTorch.address(whole);
        Format format = Format.of(LibTorch.scalarType(share));
        CudaDriver.Mark done = transfer(
                "ncclAllGather", () -> library.allGather(from, to, share.size(), format.type, communicator, stream));
        return () -> {
            await("ncclAllGather", done);
            return whole;
        };
    }

    /** Begins a transfer that waits for all that torch has been asked for; what it ends with is to be awaited. */
    private CudaDriver.Mark transfer(String what, IntSupplier call) {
        requireOpen();
        try {
            try (CudaDriver.Mark computed = driver.mark(CudaDriver.TORCH_STREAM)) {
                computed.holdBack(stream);
            }
            // a communicator that does not block has to settle before anything else is put on the stream
            settle(what, call.getAsInt());
            return driver.mark(stream);
        } catch (CudaException e) {
            throw lost(what, e.getMessage());
        }
    }

    private void require(String what, int status) {
        if (status != Status.SUCCESS && status != Status.IN_PROGRESS) {
            throw failure(what, status);
        }
    }

    /** Waits until a communicator has taken a call up. */
    private void settle(String what, int status) {
        Patience patience = new Patience();
        int now = status;
        while (now == Status.IN_PROGRESS) {
            patience.pause(what);
            now = library.state(communicator);
        }
        require(what, now);
    }

    /** Waits until a transfer is done; what torch is asked for afterwards may use its result. */
    private void await(String what, CudaDriver.Mark done) {
        requireOpen();
        try (done) {
            Patience patience = new Patience();
            while (!done.reached()) {
                require(what, library.state(communicator));
                patience.pause(what);
            }
        } catch (CudaException e) {
            throw lost(what, e.getMessage());
        }
    }

    /** Waits ever longer between two looks, but not beyond the time-out. */
    private final class Patience {
        private final long end = System.nanoTime() + timeout.toNanos();
        private long pause = FIRST_PAUSE_NANOS;

        void pause(String what) {
            if (System.nanoTime() - end > 0) {
                throw lost(what, "no end after %d s".formatted(timeout.toSeconds()));
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
        }
    }

    private RuntimeException failure(String what, int status) {
        String words = "%s (%d) %s".formatted(library.words(status), status, library.lastError());
        if (status == Status.INVALID_ARGUMENT || status == Status.INVALID_USAGE) {
            abort();
            return new IllegalStateException("NCCL: %s: %s".formatted(what, words.strip()));
        }
        return lost(what, words.strip());
    }

    private LostRankException lost(String what, String words) {
        abort();
        return new LostRankException("rank %d: NCCL: %s: %s".formatted(rank(), what, words));
    }

    private void abort() {
        if (communicator.address() != 0) {
            MemorySegment gone = communicator;
            communicator = MemorySegment.NULL;
            library.abort(gone);
        }
    }

    private void requireOpen() {
        if (communicator.address() == 0) {
            throw new LostRankException("rank %d: NCCL: the group was given up before".formatted(rank()));
        }
    }

    @Override
    public List<byte[]> gather(byte[] mine) {
        return control.gather(mine);
    }

    /** Gives the communicator up without a word to the others: nobody closes a group before all have what they need, unless something failed. */
    @Override
    public void close() {
        abort();
        script.close();
        owner.close();
        control.close();
    }
}
