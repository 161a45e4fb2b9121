package dev.rlvr.trainer.collectives;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.rlvr.trainer.torch.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.Map;

/**
 * NCCL's C functions (https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/api.html), as {@code nccl.h} of 2.26.2 declares them;
 * {@code e2e/nccl/check.sh} compiles signatures, values and the struct's layout against it. One thread uses it.
 */
public final class NcclLibrary {
    /** Setting of the environment: NCCL's file, where the loader does not find it by itself. */
    public static final String SETTING = "RLVR_NCCL";

    /** As the loader finds it. */
    static final String NAME = "libnccl.so.2";

    /** {@code NCCL_VERSION_CODE} of 2.26.2, which libtorch 2.7.1 goes with and whose struct this is. */
    static final int LEAST_VERSION = 22602;

    private static final int NEXT_MAJOR = 30000;

    /** {@code ncclUniqueId}; it is given by value. */
    static final StructLayout ID = MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(128, JAVA_BYTE).withName("internal"));

    /** {@code ncclConfig_t}. */
    static final StructLayout CONFIG = MemoryLayout.structLayout(
            JAVA_LONG.withName("size"),
            JAVA_INT.withName("magic"),
            JAVA_INT.withName("version"),
            JAVA_INT.withName("blocking"),
            JAVA_INT.withName("cgaClusterSize"),
            JAVA_INT.withName("minCTAs"),
            JAVA_INT.withName("maxCTAs"),
            ADDRESS.withName("netName"),
            JAVA_INT.withName("splitShare"),
            JAVA_INT.withName("trafficClass"));

    private static final int MAGIC = 0xcafebeef;

    /** {@code NCCL_CONFIG_UNDEF_INT}. */
    private static final int UNDEFINED = Integer.MIN_VALUE;

    /** The functions that are called. */
    static final Map<String, FunctionDescriptor> SIGNATURES = Map.ofEntries(
            Map.entry("ncclGetVersion", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
            Map.entry("ncclGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT)),
            Map.entry("ncclGetLastError", FunctionDescriptor.of(ADDRESS, ADDRESS)),
            Map.entry("ncclGetUniqueId", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
            Map.entry(
                    "ncclCommInitRankConfig",
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, ID, JAVA_INT, ADDRESS)),
            Map.entry("ncclCommGetAsyncError", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS)),
            Map.entry("ncclCommAbort", FunctionDescriptor.of(JAVA_INT, ADDRESS)),
            Map.entry("ncclGroupStart", FunctionDescriptor.of(JAVA_INT)),
            Map.entry("ncclGroupEnd", FunctionDescriptor.of(JAVA_INT)),
            Map.entry(
                    "ncclSend",
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS)),
            Map.entry(
                    "ncclRecv",
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS)),
            Map.entry(
                    "ncclAllGather",
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS)));

    private final NativeLibrary library;

    /** There is no NCCL, or not one that fits; the message says what to install and where it was looked for. */
    public static final class MissingException extends Exception {
        private static final long serialVersionUID = 1;

        MissingException(String message) {
            super(message);
        }
    }

    /**
     * A library with the functions of {@link #SIGNATURES}.
     *
     * @throws MissingException if it has another version
     */
    NcclLibrary(NativeLibrary library) throws MissingException {
        this.library = library;
        int version = version();
        if (version < LEAST_VERSION || version >= NEXT_MAJOR) {
            throw new MissingException("%s is NCCL %s, and it has to be a version 2 from %s on; %s"
                    .formatted(library.name(), text(version), text(LEAST_VERSION), remedy()));
        }
    }

    /**
     * Loads it.
     *
     * @param environment in which {@link #SETTING} may be
     * @throws MissingException if there is none, or another version
     */
    public static NcclLibrary load(Map<String, String> environment) throws MissingException {
        String file = environment.getOrDefault(SETTING, NAME);
        return new NcclLibrary(NativeLibrary.load(file, SIGNATURES)
                .orElseThrow(() -> new MissingException("NCCL cannot be loaded: looked for %s (%s); %s"
                        .formatted(
                                file,
                                environment.containsKey(SETTING)
                                        ? SETTING
                                        : "by the loader; " + SETTING + " is not set",
                                remedy()))));
    }

    private static String remedy() {
        return "install NCCL %s or later for CUDA 12 (the package libnccl2, or the Python wheel nvidia-nccl-cu12) and let %s name its file"
                .formatted(text(LEAST_VERSION), SETTING);
    }

    private static String text(int version) {
        return "%d.%d.%d".formatted(version / 10_000, version / 100 % 100, version % 100);
    }

    /** As {@code NCCL_VERSION_CODE} counts. */
    int version() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment version = arena.allocate(JAVA_INT);
            library.call("ncclGetVersion", version);
            return version.get(JAVA_INT, 0);
        }
    }

    /** NCCL's words for a status. */
    String words(int status) {
        return library.text("ncclGetErrorString", status);
    }

    /** What NCCL says of the last failure of this thread. */
    String lastError() {
        return library.text("ncclGetLastError", MemorySegment.NULL);
    }

    /** 128 bytes that a group of ranks meets by, made by one of them. */
    byte[] uniqueId() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocate(ID);
            int status = library.call("ncclGetUniqueId", id);
            if (status != Status.SUCCESS) {
                throw new IllegalStateException("ncclGetUniqueId: " + words(status));
            }
            return id.toArray(JAVA_BYTE);
        }
    }

    /** A call's status and the communicator that it has made or begun to make. */
    record Begun(int status, MemorySegment communicator) {}

    /** Begins to make a communicator whose calls do not block. */
    Begun begin(byte[] uniqueId, int rank, int size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment communicator = arena.allocate(ADDRESS);
            MemorySegment id = arena.allocate(ID).copyFrom(MemorySegment.ofArray(uniqueId));
            int status = library.call("ncclCommInitRankConfig", communicator, size, id, rank, nonBlocking(arena));
            return new Begun(status, communicator.get(ADDRESS, 0));
        }
    }

    /** {@code NCCL_CONFIG_INITIALIZER} with {@code blocking} 0. */
    static MemorySegment nonBlocking(Arena arena) {
        MemorySegment config = arena.allocate(CONFIG);
        for (MemoryLayout field : CONFIG.memberLayouts()) {
            String name = field.name().orElseThrow();
            switch (name) {
                case "size" -> config.set(JAVA_LONG, offset(name), CONFIG.byteSize());
                case "magic" -> config.set(JAVA_INT, offset(name), MAGIC);
                case "version" -> config.set(JAVA_INT, offset(name), LEAST_VERSION);
                case "blocking" -> config.set(JAVA_INT, offset(name), 0);
                case "netName" -> config.set(ADDRESS, offset(name), MemorySegment.NULL);
                default -> config.set(JAVA_INT, offset(name), UNDEFINED);
            }
        }
        return config;
    }

    static long offset(String field) {
        return CONFIG.byteOffset(PathElement.groupElement(field));
    }

    /** What a communicator is at: {@link Status#SUCCESS}, {@link Status#IN_PROGRESS} or an error. */
    int state(MemorySegment communicator) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(JAVA_INT);
            int status = library.call("ncclCommGetAsyncError", communicator, state);
            return status == Status.SUCCESS ? state.get(JAVA_INT, 0) : status;
        }
    }

    /** Ends all that a communicator is at, and the communicator. */
    void abort(MemorySegment communicator) {
        // there is nothing left to do where even this fails
        library.call("ncclCommAbort", communicator);
    }

    int groupStart() {
        return library.call("ncclGroupStart");
    }

    int groupEnd() {
        return library.call("ncclGroupEnd");
    }

    int send(long from, long count, int type, int peer, MemorySegment communicator, MemorySegment stream) {
        return library.call("ncclSend", MemorySegment.ofAddress(from), count, type, peer, communicator, stream);
    }

    int receive(long to, long count, int type, int peer, MemorySegment communicator, MemorySegment stream) {
        return library.call("ncclRecv", MemorySegment.ofAddress(to), count, type, peer, communicator, stream);
    }

    int allGather(long from, long to, long count, int type, MemorySegment communicator, MemorySegment stream) {
        return library.call(
                "ncclAllGather",
                MemorySegment.ofAddress(from),
                MemorySegment.ofAddress(to),
                count,
                type,
                communicator,
                stream);
    }

    /** {@code ncclResult_t}. */
    static final class Status {
        static final int SUCCESS = 0;
        static final int INVALID_ARGUMENT = 4;
        static final int INVALID_USAGE = 5;
        static final int IN_PROGRESS = 7;

        private Status() {}
    }

    /** {@code ncclDataType_t}. */
    static final class Type {
        static final int FLOAT32 = 7;
        static final int BFLOAT16 = 9;

        private Type() {}
    }
}
