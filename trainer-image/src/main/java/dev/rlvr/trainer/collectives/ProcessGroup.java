package dev.rlvr.trainer.collectives;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Makes a c10d process group over Gloo and registers it by name, so that TorchScript finds it. TorchScript itself cannot make one, so this calls
 * libtorch's C++ constructors by their mangled names on memory of the sizes and offsets that libtorch 2.7.1 has; it looks at the result before it
 * relies on them. What is made lives as long as the process.
 */
@SuppressWarnings("restricted") // calling native code is what it is for; the JVM is started with --enable-native-access
final class ProcessGroup {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Arena FOREVER = Arena.global();

    private static final String STRING = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE";
    private static final String STORE_POINTER =
            "N3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_EEEE";

    /** Attempts to reach rank 0 are this far apart. */
    private static final int RETRY_MILLIS = 100;

    private static final int CONNECT_MILLIS = 1000;

    private ProcessGroup() {}

    /** Meets the other ranks; returns the store that further groups of some of them are made with. */
    static MemorySegment open(Meeting meeting) throws InterruptedException {
        if (meeting.rank() > 0) {
            awaitStore(meeting);
        }
        MemorySegment store = store(meeting, meeting.timeout().toMillis());
        open(meeting, store);
        return store;
    }

    /** Meets those ranks of a group whose own group has the same prefix. */
    static void open(Meeting meeting, MemorySegment store, String prefix) {
        MemorySegment prefixed = object(1024);
        call(
                "_ZN4c10d11PrefixStoreC1E" + STRING
                        + "N3c1013intrusive_ptrINS_5StoreENS7_6detail34intrusive_target_default_null_typeIS9_EEEE",
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS),
                prefixed,
                string(prefix),
                pointer(store));
        pin(prefixed);
        open(meeting, prefixed);
    }

    private static void open(Meeting meeting, MemorySegment store) {
        long timeout = meeting.timeout().toMillis();
        MemorySegment gloo = object(2048);
        call(
                "_ZN4c10d16ProcessGroupGlooC1ERK" + STORE_POINTER + "iiNS2_INS0_7OptionsENS5_ISA_EEEE",
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS),
                gloo,
                pointer(store),
                meeting.rank(),
                meeting.size(),
                pointer(options(meeting.bind(), timeout)));
        pin(gloo);
        MemorySegment group = object(2048);
        call(
                "_ZN4c10d12ProcessGroupC1E" + STORE_POINTER + "ii",
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, JAVA_INT, JAVA_INT),
                group,
                pointer(store),
                meeting.rank(),
                meeting.size());
        pin(group);
        useOnCpu(group, gloo);
        MemorySegment name = string(meeting.group());
        call(
                "_ZN4c10d12ProcessGroup12setGroupNameERK" + STRING,
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS),
                group,
                name);
        call(
                "_ZN4c10d22register_process_groupERK" + STRING
                        + "RKN3c1013intrusive_ptrINS_12ProcessGroupENS8_6detail34intrusive_target_default_null_typeISA_EEEE",
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS),
                name,
                pointer(group));
    }

    /** A C++ exception would end the JVM, so rank 0's port has to answer first. */
    private static void awaitStore(Meeting meeting) throws InterruptedException {
        long end = System.nanoTime() + meeting.timeout().toNanos();
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(meeting.host(), meeting.port()), CONNECT_MILLIS);
                return;
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw new LostRankException(
                            "rank %d cannot reach rank 0 at %s:%d"
                                    .formatted(meeting.rank(), meeting.host(), meeting.port()),
                            e);
                }
                Thread.sleep(RETRY_MILLIS);
            }
        }
    }

    /** {@code TCPStore(host, TCPStoreOptions)}. */
    private static MemorySegment store(Meeting meeting, long timeout) {
        MemorySegment options = object(64);
        options.set(JAVA_SHORT, 0, (short) meeting.port());
        options.set(JAVA_BOOLEAN, 2, meeting.rank() == 0); // isServer
        options.set(JAVA_LONG, 8, meeting.size()); // numWorkers
        options.set(JAVA_BOOLEAN, 16, true); // numWorkers is given
        options.set(JAVA_BOOLEAN, 24, false); // waitWorkers
        options.set(JAVA_LONG, 32, timeout);
        options.set(JAVA_BOOLEAN, 52, true); // useLibUV
        MemorySegment store = object(1024);
        call(
                "_ZN4c10d8TCPStoreC1E" + STRING + "RKNS_15TCPStoreOptionsE",
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS, ADDRESS),
                store,
                string(meeting.host()),
                options);
        pin(store);
        return store;
    }

    /** {@code ProcessGroupGloo::Options} with one device that the other ranks reach under a name. */
    private static MemorySegment options(String bind, long timeout) {
        MemorySegment options = object(256);
        call(
                "_ZN4c10d16ProcessGroupGloo7OptionsC1ENSt6chrono8durationIlSt5ratioILl1ELl1000EEEE",
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG),
                options,
                timeout);
        pin(options);
        MemorySegment device = object(16);
        call(
                "_ZN4c10d16ProcessGroupGloo23createDeviceForHostnameERK" + STRING,
                FunctionDescriptor.ofVoid(ADDRESS, ADDRESS),
                device,
                string(bind));
        // the vector of devices: begin, end, end of its memory
        options.set(ADDRESS, 56, device);
        options.set(ADDRESS, 64, device.asSlice(16));
        options.set(ADDRESS, 72, device.asSlice(16));
        return options;
    }

    /** {@code setBackend} is inline, so the first node of the group's empty map from device type to backend is linked by hand. */
    private static void useOnCpu(MemorySegment group, MemorySegment gloo) {
        boolean asExpected = group.get(JAVA_LONG, 216) == 0
                && group.get(JAVA_LONG, 200) == 1
                && group.get(JAVA_LONG, 192) == group.address() + 240;
        if (!asExpected) {
            throw new IllegalStateException("libtorch is not the 2.7.1 that this was written for");
        }
        MemorySegment node = object(64);
        node.set(JAVA_LONG, 8, 0); // the key: CPU
        node.set(ADDRESS, 16, gloo);
        group.set(ADDRESS, 240, group.asSlice(208));
        group.set(ADDRESS, 208, node);
        group.set(JAVA_LONG, 216, 1);
    }

    private static MemorySegment object(long bytes) {
        return FOREVER.allocate(bytes, 64);
    }

    private static MemorySegment pointer(MemorySegment object) {
        MemorySegment pointer = FOREVER.allocate(ADDRESS);
        pointer.set(ADDRESS, 0, object);
        return pointer;
    }

    /** Sets both reference counts so high that C++ never frees memory that Java gave. */
    private static void pin(MemorySegment object) {
        object.set(JAVA_INT, 8, 1 << 20);
        object.set(JAVA_INT, 12, 1 << 20);
    }

    /** libstdc++'s string: pointer, length, then up to 15 characters in place; longer ones on malloc's heap, since C++ may free them. */
    private static MemorySegment string(String text) {
        byte[] bytes = Arrays.copyOf(text.getBytes(StandardCharsets.UTF_8), text.length() + 1);
        int length = bytes.length - 1;
        MemorySegment string = FOREVER.allocate(32, 16);
        MemorySegment characters = string.asSlice(16, 16);
        if (length > 15) {
            characters = malloc(bytes.length);
            string.set(JAVA_LONG, 16, length);
        }
        MemorySegment.copy(bytes, 0, characters, JAVA_BYTE, 0, bytes.length);
        string.set(ADDRESS, 0, characters);
        string.set(JAVA_LONG, 8, length);
        return string;
    }

    private static MemorySegment malloc(long bytes) {
        MethodHandle malloc = LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow("malloc"), FunctionDescriptor.of(ADDRESS, JAVA_LONG));
        try {
            return ((MemorySegment) malloc.invoke(bytes)).reinterpret(bytes);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void call(String symbol, FunctionDescriptor signature, Object... arguments) {
        MemorySegment function = SymbolLookup.loaderLookup()
                .find(symbol)
                .orElseThrow(() -> new IllegalStateException("libtorch has no " + symbol));
        try {
            LINKER.downcallHandle(function, signature).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
