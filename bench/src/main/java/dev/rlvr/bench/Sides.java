package dev.rlvr.bench;

import dev.rlvr.crds.TrainerEnvironment;
import dev.rlvr.trainer.model.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine;

/**
 * Makes the processes of both sides, with the same environment.
 *
 * @param checkout root of the checkout
 * @param threads of each side
 */
record Sides(Path checkout, int threads) {
    /** Runs a command of this module on the checkout that the system property {@code rlvr.home} names, and exits. */
    static void main(Function<Path, Callable<Integer>> command, String... args) {
        Path checkout = Path.of(System.getProperty("rlvr.home", "")).toAbsolutePath();
        // Ctrl-C, too, must leave no side running
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> ProcessHandle.current().children().forEach(ProcessHandle::destroy), "end-sides"));
        System.exit(new CommandLine(command.apply(checkout)).execute(args));
    }

    Path target() {
        return checkout.resolve("bench/target");
    }

    Path model(String name) {
        return target().resolve("models").resolve(name);
    }

    Path python() {
        return checkout.resolve("bench/peers/.venv/bin/python");
    }

    /** One of our sides. */
    Contestant ours(String benchmark, Class<?> side, Precision precision, String model, String... options) {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(common(precision, model));
        return ours("ours", benchmark, side, arguments);
    }

    /** A Java side of any name; {@code arguments} are all it gets. */
    Contestant ours(String name, String benchmark, Class<?> side, List<String> arguments) {
        return new ChildSide(name, java(side.getName(), arguments), log(benchmark, name));
    }

    /** A Python side: a program in {@code bench/peers} and one of its variants. */
    Contestant peer(
            String name,
            String benchmark,
            String program,
            String variant,
            Precision precision,
            String model,
            String... options) {
        List<String> arguments = new ArrayList<>(List.of("--variant", variant));
        arguments.addAll(common(precision, model));
        arguments.addAll(List.of(options));
        return new ChildSide(name, python(program, arguments), log(benchmark, name));
    }

    private List<String> common(Precision precision, String model) {
        return List.of(
                "--model", model(model).toString(),
                "--precision", precision.name(),
                "--threads", Integer.toString(threads));
    }

    Path log(String benchmark, String side) {
        return target().resolve("logs").resolve(benchmark + "-" + side.replaceAll("[^A-Za-z0-9.]+", "-") + ".log");
    }

    /** A JVM as the trainer is started with. */
    ProcessBuilder java(String mainClass, List<String> arguments) {
        List<String> command = new ArrayList<>(TrainerEnvironment.jvm(threads));
        command.addFirst(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
        command.addAll(arguments);
        ProcessBuilder process = inEnvironment(command);
        TrainerEnvironment.NATIVE.forEach(process.environment()::putIfAbsent);
        return process;
    }

    ProcessBuilder python(String program, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                python().toString(),
                checkout.resolve("bench/peers").resolve(program).toString()));
        command.addAll(arguments);
        return inEnvironment(command);
    }

    private ProcessBuilder inEnvironment(List<String> command) {
        ProcessBuilder process = new ProcessBuilder(command);
        var environment = process.environment();
        environment.put("OMP_NUM_THREADS", Integer.toString(threads));
        environment.put("MKL_NUM_THREADS", Integer.toString(threads));
        // Threads that spin while they wait slow each other down many times over where the machine has other work to
        // do.
        environment.putIfAbsent("OMP_WAIT_POLICY", "PASSIVE");
        environment.put("OPT_OUT_TRACKING", "true");
        environment.putIfAbsent(
                "DJL_CACHE_DIR",
                Path.of(System.getProperty("user.home"), ".cache/rlvr/djl").toString());
        environment.put("HF_HUB_OFFLINE", "1");
        environment.put("TOKENIZERS_PARALLELISM", "false");
        return process;
    }
}
