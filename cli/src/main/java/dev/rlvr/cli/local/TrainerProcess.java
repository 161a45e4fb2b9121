package dev.rlvr.cli.local;

import dev.rlvr.crds.TrainerEnvironment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a main class of the trainer becomes a process.
 *
 * @param java the {@code java} executable
 * @param classPath the trainer's classes and everything they need
 * @param mainClass the trainer's main class ({@code docs/trainer.md})
 * @param bundled folder that {@code bundled://} sources are looked up in
 * @param cache folder for native libraries that are unpacked once
 * @param startCache what the JVM has kept of an earlier start (JEP 514), if the file is there
 * @param environment more variables of each process
 */
public record TrainerProcess(
        Path java,
        String classPath,
        String mainClass,
        Path bundled,
        Path cache,
        Path startCache,
        Map<String, String> environment) {
    /** The trainer's main class. */
    public static final String MAIN_CLASS = "dev.rlvr.trainer.Main";

    /** Main class of what downloads a job's sources. */
    static final String FETCH = "dev.rlvr.trainer.fetch.Fetch";

    /** Main class of the rollout server that is built from the trainer's sampler. */
    public static final String SERVER = "dev.rlvr.trainer.serve.Serve";

    /**
     * The trainer as it was built in a checkout.
     *
     * @param built folder that the launcher copied the build to; a later build does not change it
     */
    public static TrainerProcess ofCheckout(Path checkout, Path built, Path javaHome, Path userHome)
            throws IOException {
        return new TrainerProcess(
                javaHome.resolve("bin/java"),
                Files.readString(built.resolve("rlvr-trainer.classpath")).strip(),
                MAIN_CLASS,
                checkout.resolve("examples"),
                userHome.resolve(".cache/rlvr/djl"),
                built.resolve("rlvr-trainer.aot"),
                Map.of());
    }

    /** The same with one more variable. */
    public TrainerProcess with(String variable, String value) {
        Map<String, String> more = new TreeMap<>(environment);
        more.put(variable, value);
        return new TrainerProcess(java, classPath, mainClass, bundled, cache, startCache, Map.copyOf(more));
    }

    /** A process that runs the trainer with these arguments on so many threads; the caller says where its output goes. */
    public ProcessBuilder command(int threads, List<String> arguments) {
        return command(mainClass, threads, arguments);
    }

    /** As {@link #command(int, List)}, for a process of a few seconds: compiled code that is quick to come by serves it best. */
    ProcessBuilder briefCommand(int threads, List<String> arguments) {
        ProcessBuilder process = command(threads, arguments);
        process.command().add(1, "-XX:TieredStopAtLevel=1");
        return process;
    }

    /**
     * Runs another main class of the trainer in the foreground and returns its exit code. It is stopped with this process: whoever stops the command
     * means the work, and Ctrl-C reaches both.
     */
    public int run(String otherMainClass, int threads, List<String> arguments)
            throws IOException, InterruptedException {
        Process process =
                command(otherMainClass, threads, arguments).inheritIO().start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy, "stop-trainer"));
        return process.waitFor();
    }

    /** As {@link #command(int, List)}, for another main class on the trainer's class path. */
    ProcessBuilder command(String otherMainClass, int threads, List<String> arguments) {
        List<String> command = new ArrayList<>(TrainerEnvironment.jvm(threads));
        command.addFirst(java.toString());
        command.addAll(List.of("-cp", classPath, otherMainClass));
        command.addAll(arguments);
        if (Files.exists(startCache)) {
            // where it does not fit, say after an update of the JDK, the JVM does without it and need not tell
            command.addAll(1, List.of("-XX:AOTCache=" + startCache, "-Xlog:aot*=off,cds*=off"));
        }
        ProcessBuilder process = new ProcessBuilder(command);
        process.environment()
                .putAll(Map.of(
                        "OPT_OUT_TRACKING", "true",
                        "DJL_CACHE_DIR", cache.toString(),
                        "OMP_NUM_THREADS", Integer.toString(threads),
                        "RLVR_BUNDLED", bundled.toString()));
        process.environment().putAll(environment);
        TrainerEnvironment.NATIVE.forEach(process.environment()::putIfAbsent);
        return process;
    }
}
