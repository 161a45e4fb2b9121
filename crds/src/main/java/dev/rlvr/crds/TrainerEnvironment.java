package dev.rlvr.crds;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/** Environment and JVM options that a trainer's process needs before it starts, whoever starts it: {@code docs/trainer.md}. */
public final class TrainerEnvironment {
    /**
     * Settings of native libraries. The C library's allocator keeps what a step has freed for the next one, in huge pages and in one heap:
     * the 64 MB pieces of a thread's own have room for one large tensor, and a hole beside it; OpenMP's threads
     * sleep while they wait, since threads that spin slow each other down many times over where processors are shared.
     */
    public static final SequencedMap<String, String> NATIVE = Collections.unmodifiableSequencedMap(new TreeMap<>(Map.of(
            "GLIBC_TUNABLES",
            "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1073741824"
                    + ":glibc.malloc.trim_threshold=4294967296:glibc.malloc.top_pad=67108864:glibc.malloc.arena_max=1",
            "OMP_WAIT_POLICY",
            "PASSIVE")));

    private static final List<String> JVM = List.of(
            // the Java heap holds little beside libtorch's tensors: no threads and no reserves for collecting it
            "-XX:+UseSerialGC",
            "-Xms64m",
            "--enable-native-access=ALL-UNNAMED",
            // Protocol Buffers' own use of it; without this the JDK warns at each start
            "--sun-misc-unsafe-memory-access=allow",
            "-Dai.djl.offline=true");

    private TrainerEnvironment() {}

    /** Options of the JVM that runs the trainer, where it finds out by itself how many threads it may use. */
    public static List<String> jvm() {
        return JVM;
    }

    /** Options of the JVM that runs the trainer on so many threads. */
    public static List<String> jvm(int threads) {
        List<String> options = new ArrayList<>(JVM);
        options.add("-Dai.djl.pytorch.num_threads=" + threads);
        return List.copyOf(options);
    }
}
