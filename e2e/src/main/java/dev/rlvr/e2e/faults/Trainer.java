package dev.rlvr.e2e.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How a launcher of the trainer is started, as docs/trainer.md has it.
 *
 * @param checkout the project
 * @param built folder of its built classes
 * @param java the {@code java} executable
 */
record Trainer(Path checkout, Path built, String java) {
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "GLIBC_TUNABLES",
            "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1073741824"
                    + ":glibc.malloc.trim_threshold=4294967296:glibc.malloc.top_pad=67108864:glibc.malloc.arena_max=1",
            "OMP_WAIT_POLICY",
            "PASSIVE",
            "OPT_OUT_TRACKING",
            "true",
            "OMP_NUM_THREADS",
            "1");

    static Trainer of(Path checkout, String java) throws IOException {
        return new Trainer(
                checkout,
                Path.of(Files.readString(checkout.resolve("target/built.current"))
                        .strip()),
                java);
    }

    /** Starts the launcher of a pod. */
    Process launch(Pods pods, JobFolder job, int attempt, int pod, int rendezvousPort) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                java,
                "-XX:+UseSerialGC",
                "-Xms64m",
                // its files go by process numbers, and these are another namespace's
                "-XX:-UsePerfData",
                // a process of a few seconds is done sooner with code that is quick to compile
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                // those that are killed leave files there
                "-Djava.io.tmpdir=" + job.temporary(),
                "-Dai.djl.offline=true",
                "-Dai.djl.pytorch.num_threads=1",
                "-cp",
                Files.readString(built.resolve("rlvr-trainer.classpath")).strip(),
                "dev.rlvr.trainer.Main",
                "--job",
                job.manifest().toString(),
                "--work",
                job.work().toString()));
        Path startCache = built.resolve("rlvr-trainer.aot");
        if (Files.exists(startCache)) {
            command.addAll(1, List.of("-XX:AOTCache=" + startCache, "-Xlog:aot*=off,cds*=off"));
        }
        ProcessBuilder launcher = new ProcessBuilder(pods.in(pod, command))
                .redirectErrorStream(true)
                .redirectOutput(job.log(attempt, pod).toFile());
        launcher.environment().putAll(ENVIRONMENT);
        launcher.environment()
                .putAll(Map.of(
                        "DJL_CACHE_DIR", System.getProperty("user.home") + "/.cache/rlvr/djl",
                        "RLVR_BUNDLED", checkout.resolve("examples").toString(),
                        "RLVR_ATTEMPT", Integer.toString(attempt),
                        "RLVR_REPLICA", Integer.toString(pod),
                        "RLVR_RENDEZVOUS", pods.address(0) + ":" + rendezvousPort,
                        "RLVR_BIND_HOST", pods.address(pod),
                        "RLVR_WATCH_STDIN", "true",
                        "RLVR_TERMINATION_LOG", job.lastWords(attempt, pod).toString()));
        return launcher.start();
    }
}
