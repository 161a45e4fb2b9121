package dev.rlvr.trainer.collectives;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.rlvr.trainer.torch.CudaDriver;
import dev.rlvr.trainer.torch.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * NCCL and NVIDIA's driver as one rank calls them, for tensors in the memory of the host: C functions that come back to Java. It keeps to what
 * their headers say and no more: a communicator is there once all ranks have come, a call is in progress at first, what is on a stream happens on
 * another thread and later, in order. It says nothing about a GPU.
 */
@SuppressWarnings("restricted") // makes native functions
public final class NcclStandIn implements SymbolLookup, AutoCloseable {
    private static final Arena FOREVER = Arena.global();
    private static final AtomicLong IDS = new AtomicLong();
    private static final Map<Long, Set<Integer>> MET = new ConcurrentHashMap<>();
    private static final Map<String, BlockingQueue<byte[]>> WIRES = new ConcurrentHashMap<>();

    /** Looks at a call's state until it is no longer in progress. */
    private static final int LOOKS = 3;

    private final Map<String, MemorySegment> stubs = new HashMap<>();
    private final ExecutorService stream =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    private final Map<Long, Communicator> communicators = new HashMap<>();
    private final Map<Long, Boolean> events = new ConcurrentHashMap<>();
    private final AtomicLong handles = new AtomicLong(4096);
    private final AtomicInteger aborts = new AtomicInteger();
    private @Nullable List<Runnable> group;
    private volatile boolean silent;
    private volatile int error;
    private volatile int version = NcclLibrary.LEAST_VERSION;

    private static final class Communicator {
        private final long id;
        private final int rank;
        private final int size;
        private final Map<Integer, Integer> sent = new HashMap<>();
        private final Map<Integer, Integer> received = new HashMap<>();
        private int looks = LOOKS;
        private volatile boolean aborted;

        Communicator(long id, int rank, int size) {
            this.id = id;
            this.rank = rank;
            this.size = size;
        }

        String wire(int from, int to, int number) {
            return "%d/%d-%d/%d".formatted(id, from, to, number);
        }
    }

    /** From now on nothing that is put on this rank's stream happens. */
    void fallSilent() {
        silent = true;
    }

    /** From now on each communicator has this asynchronous error. */
    void failWith(int status) {
        error = status;
    }

    void claimVersion(int code) {
        version = code;
    }

    /** Communicators that have been aborted. */
    int aborts() {
        return aborts.get();
    }

    NcclLibrary nccl() throws NcclLibrary.MissingException {
        return new NcclLibrary(new NativeLibrary("stand-in", this, NcclLibrary.SIGNATURES));
    }

    public CudaDriver driver() {
        return new CudaDriver(new NativeLibrary("stand-in", this, CudaDriver.SIGNATURES));
    }

    @Override
    public void close() {
        stream.shutdownNow();
    }

    @Override
    public Optional<MemorySegment> find(String name) {
        return Optional.of(stubs.computeIfAbsent(name, this::stub));
    }

    private MemorySegment stub(String name) {
        FunctionDescriptor signature =
                Optional.ofNullable(NcclLibrary.SIGNATURES.get(name)).orElseGet(() -> CudaDriver.SIGNATURES.get(name));
        Function<List<Object>, Object> body = body(name);
        Function<Object[], Object> called = arguments -> body.apply(List.of(arguments));
        try {
            MethodHandle call = MethodHandles.publicLookup()
                    .findVirtual(Function.class, "apply", MethodType.methodType(Object.class, Object.class))
                    .bindTo(called)
                    .asType(MethodType.methodType(Object.class, Object[].class))
                    .asCollector(Object[].class, signature.argumentLayouts().size())
                    .asType(signature.toMethodType());
            return Linker.nativeLinker().upcallStub(call, signature, FOREVER);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private Function<List<Object>, Object> body(String name) {
        return switch (name) {
            case "ncclGetVersion" -> a -> set(a, 0, version);
            case "ncclGetErrorString" -> a -> FOREVER.allocateFrom("error " + a.getFirst());
            case "ncclGetLastError" -> _ -> FOREVER.allocateFrom("");
            case "ncclGetUniqueId" -> a -> uniqueId(pointer(a, 0));
            case "ncclCommInitRankConfig" ->
                a -> join(pointer(a, 0), (int) a.get(1), (MemorySegment) a.get(2), (int) a.get(3), pointer(a, 4));
            case "ncclCommGetAsyncError" -> a -> state(communicator(a, 0), pointer(a, 1));
            case "ncclCommAbort" -> a -> abort(communicator(a, 0));
            case "ncclGroupStart" -> _ -> open();
            case "ncclGroupEnd" -> _ -> end();
            case "ncclSend" -> a -> send(communicator(a, 4), bytes(a, 0, 1, 2), (int) a.get(3));
            case "ncclRecv" -> a -> receive(communicator(a, 4), bytes(a, 0, 1, 2), (int) a.get(3));
            case "ncclAllGather" -> a -> allGather(communicator(a, 4), bytes(a, 0, 2, 3), (MemorySegment) a.get(1));
            case "cuInit", "cuCtxSetCurrent", "cuStreamWaitEvent", "cuEventDestroy_v2" -> _ -> 0;
            case "cuGetErrorString" -> _ -> 1;
            case "cuDeviceGetCount" -> a -> set(a, 0, 1);
            case "cuDeviceGet" -> a -> set(a, 0, (int) a.get(1));
            case "cuDeviceTotalMem_v2" ->
                a -> {
                    pointer(a, 0).set(JAVA_LONG, 0, 24_000_000_000L);
                    return 0;
                };
            case "cuDevicePrimaryCtxRetain", "cuStreamCreate", "cuEventCreate" -> a -> handle(pointer(a, 0));
            case "cuEventRecord" -> a -> record((MemorySegment) a.get(0), (MemorySegment) a.get(1));
            case "cuEventQuery" -> a -> events.get(((MemorySegment) a.getFirst()).address()) ? 0 : 600;
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static MemorySegment pointer(List<Object> arguments, int at) {
        return ((MemorySegment) arguments.get(at)).reinterpret(128);
    }

    private static int set(List<Object> arguments, int at, int value) {
        pointer(arguments, at).set(JAVA_INT, 0, value);
        return 0;
    }

    private int handle(MemorySegment to) {
        to.set(ADDRESS, 0, MemorySegment.ofAddress(handles.incrementAndGet()));
        return 0;
    }

    private Communicator communicator(List<Object> arguments, int at) {
        return Optional.ofNullable(communicators.get(((MemorySegment) arguments.get(at)).address()))
                .orElseThrow();
    }

    private static MemorySegment bytes(List<Object> arguments, int address, int count, int type) {
        int width = (int) arguments.get(type) == NcclLibrary.Type.BFLOAT16 ? 2 : 4;
        return ((MemorySegment) arguments.get(address)).reinterpret((long) arguments.get(count) * width);
    }

    private static int uniqueId(MemorySegment id) {
        long number = IDS.incrementAndGet();
        MET.put(number, ConcurrentHashMap.newKeySet());
        id.copyFrom(MemorySegment.ofArray(
                ByteBuffer.allocate(128).putLong(number).putLong(120, ~number).array()));
        return 0;
    }

    private int join(MemorySegment to, int size, MemorySegment id, int rank, MemorySegment config) {
        ByteBuffer bytes = ByteBuffer.wrap(id.toArray(JAVA_BYTE));
        long number = bytes.getLong(0);
        if (bytes.getLong(120) != ~number || config.get(JAVA_INT, NcclLibrary.offset("blocking")) != 0) {
            return NcclLibrary.Status.INVALID_ARGUMENT;
        }
        MET.get(number).add(rank);
        handle(to);
        communicators.put(to.get(ADDRESS, 0).address(), new Communicator(number, rank, size));
        return NcclLibrary.Status.IN_PROGRESS;
    }

    private int state(Communicator of, MemorySegment to) {
        boolean met = new HashSet<>(MET.get(of.id)).size() == of.size;
        boolean progress = !met || of.looks-- > 0;
        to.set(JAVA_INT, 0, error != 0 ? error : progress ? NcclLibrary.Status.IN_PROGRESS : 0);
        return 0;
    }

    private int abort(Communicator of) {
        of.aborted = true;
        aborts.incrementAndGet();
        return 0;
    }

    private int open() {
        group = new ArrayList<>();
        return 0;
    }

    private int end() {
        List<Runnable> calls = Optional.ofNullable(group).orElseThrow();
        group = null;
        return begin(calls);
    }

    private int begin(List<Runnable> calls) {
        if (!silent) {
            stream.execute(() -> calls.forEach(Runnable::run));
        } else {
            stream.execute(NcclStandIn::forEver);
        }
        communicators.values().forEach(communicator -> communicator.looks = LOOKS);
        return NcclLibrary.Status.IN_PROGRESS;
    }

    private static void forEver() {
        try {
            Thread.sleep(Long.MAX_VALUE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int send(Communicator of, MemorySegment from, int peer) {
        Optional.ofNullable(group).orElseThrow().addFirst(post(of, from, peer));
        return 0;
    }

    private static Runnable post(Communicator of, MemorySegment from, int peer) {
        String wire = of.wire(of.rank, peer, of.sent.merge(peer, 1, Integer::sum));
        return () -> wire(wire).add(from.toArray(JAVA_BYTE));
    }

    private int receive(Communicator of, MemorySegment to, int peer) {
        Optional.ofNullable(group).orElseThrow().addLast(fetch(of, to, peer));
        return 0;
    }

    private static Runnable fetch(Communicator of, MemorySegment to, int peer) {
        String wire = of.wire(peer, of.rank, of.received.merge(peer, 1, Integer::sum));
        return () -> {
            try {
                byte @Nullable [] bytes = null;
                while (bytes == null && !of.aborted) {
                    bytes = wire(wire).poll(10, TimeUnit.MILLISECONDS);
                }
                if (bytes != null) {
                    to.copyFrom(MemorySegment.ofArray(bytes));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
    }

    private static BlockingQueue<byte[]> wire(String name) {
        return WIRES.computeIfAbsent(name, _ -> new LinkedBlockingQueue<>());
    }

    private int allGather(Communicator of, MemorySegment from, MemorySegment to) {
        List<Runnable> calls = new ArrayList<>();
        for (int peer = 0; peer < of.size; peer++) {
            calls.addFirst(post(of, from, peer));
            calls.addLast(
                    fetch(of, to.reinterpret((peer + 1) * from.byteSize()).asSlice(peer * from.byteSize()), peer));
        }
        return begin(calls);
    }

    private int record(MemorySegment event, MemorySegment on) {
        boolean ofTorch = on.address() == CudaDriver.TORCH_STREAM.address();
        events.put(event.address(), ofTorch);
        if (!ofTorch) {
            stream.execute(() -> events.put(event.address(), true));
        }
        return 0;
    }
}
