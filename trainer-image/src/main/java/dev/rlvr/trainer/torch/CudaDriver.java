package dev.rlvr.trainer.torch;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/**
 * What the trainer asks NVIDIA's driver itself: which GPUs there are, and when work on a stream is done. Everything else goes through libtorch
 * and NCCL. The driver shows the GPUs that {@code CUDA_VISIBLE_DEVICES} names, numbered from 0. One thread uses it.
 *
 * <p>Signatures, flags and versioned names are those of {@code cuda.h}; {@code e2e/nccl/check.sh} compiles them against it.
 */
@SuppressWarnings("restricted") // reads texts of native code
public final class CudaDriver {
    /** As the loader finds it where a driver is installed. */
    public static final String LIBRARY = "libcuda.so.1";

    /** Torch's default stream. */
    public static final MemorySegment TORCH_STREAM = MemorySegment.NULL;

    /** The functions that are called. */
    public static final Map<String, FunctionDescriptor> SIGNATURES = Map.ofEntries(
            Map.entry("cuInit", FunctionDescriptor.of(JAVA_INT, JAVA_INT)),
            Map.entry("cuGetErrorString", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS)),
            Map.entry("cuDeviceGetCount", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
            Map.entry("cuDeviceGet", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)),
            Map.entry("cuDeviceTotalMem_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)),
            Map.entry("cuDevicePrimaryCtxRetain", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)),
            Map.entry("cuCtxSetCurrent", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
            Map.entry("cuStreamCreate", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)),
            Map.entry("cuStreamWaitEvent", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT)),
            Map.entry("cuEventCreate", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT)),
            Map.entry("cuEventRecord", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS)),
            Map.entry("cuEventQuery", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
            Map.entry("cuEventDestroy_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS)));

    private static final int SUCCESS = 0;
    private static final int NOT_READY = 600;

    /** Such a stream does not wait for the default stream unless it is told to, so that transfers and computation go on side by side. */
    private static final int NON_BLOCKING_STREAM = 1;

    private static final int EVENT_WITHOUT_TIME = 2;

    private final NativeLibrary library;

    /** A driver with the functions of {@link #SIGNATURES}. */
    public CudaDriver(NativeLibrary library) {
        this.library = library;
    }

    /**
     * Loads it; empty where there is none.
     *
     * @param name {@link #LIBRARY}, or another file
     */
    public static Optional<CudaDriver> load(String name) {
        return NativeLibrary.load(name, SIGNATURES).map(CudaDriver::new);
    }

    /** The driver's or a GPU's failure, in the driver's words. */
    public static final class CudaException extends RuntimeException {
        private static final long serialVersionUID = 1;

        CudaException(String message) {
            super(message);
        }
    }

    /**
     * The number of GPUs.
     *
     * @throws CudaException if the driver does not start, as where there are none
     */
    public int devices() {
        check("cuInit", 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_INT);
            check("cuDeviceGetCount", count);
            return count.get(JAVA_INT, 0);
        }
    }

    /** Bytes of memory of a GPU; to be asked after {@link #devices}. */
    public long memory(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(JAVA_LONG);
            check("cuDeviceTotalMem_v2", bytes, handle(arena, device));
            return bytes.get(JAVA_LONG, 0);
        }
    }

    private int handle(Arena arena, int device) {
        MemorySegment handle = arena.allocate(JAVA_INT);
        check("cuDeviceGet", handle, device);
        return handle.get(JAVA_INT, 0);
    }

    /** Makes a GPU, with the context that libtorch shares, the one that this thread works with. */
    public void use(int device) {
        check("cuInit", 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment context = arena.allocate(ADDRESS);
            check("cuDevicePrimaryCtxRetain", context, handle(arena, device));
            check("cuCtxSetCurrent", context.get(ADDRESS, 0));
        }
    }

    /** A new stream beside torch's; it lives as long as the process. */
    public MemorySegment stream() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stream = arena.allocate(ADDRESS);
            check("cuStreamCreate", stream, NON_BLOCKING_STREAM);
            return stream.get(ADDRESS, 0);
        }
    }

    /** What has been asked of a stream so far; to be closed. */
    public Mark mark(MemorySegment stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(ADDRESS);
            check("cuEventCreate", event, EVENT_WITHOUT_TIME);
            Mark mark = new Mark(event.get(ADDRESS, 0));
            check("cuEventRecord", mark.event, stream);
            return mark;
        }
    }

    /** A place in a stream's work. */
    public final class Mark implements AutoCloseable {
        private final MemorySegment event;

        private Mark(MemorySegment event) {
            this.event = event;
        }

        /** Whether all that was asked before it is done. */
        public boolean reached() {
            int status = library.call("cuEventQuery", event);
            if (status != NOT_READY && status != SUCCESS) {
                throw failure("cuEventQuery", status);
            }
            return status == SUCCESS;
        }

        /** Lets a stream wait for it; returns at once. */
        public void holdBack(MemorySegment stream) {
            check("cuStreamWaitEvent", stream, event, 0);
        }

        @Override
        public void close() {
            check("cuEventDestroy_v2", event);
        }
    }

    private void check(String function, Object... arguments) {
        int status = library.call(function, arguments);
        if (status != SUCCESS) {
            throw failure(function, status);
        }
    }

    private CudaException failure(String function, int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(ADDRESS);
            boolean known = library.call("cuGetErrorString", status, text) == SUCCESS;
            String words =
                    known ? text.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0) : "unknown error";
            return new CudaException("%s: %s (%d)".formatted(function, words, status));
        }
    }
}
