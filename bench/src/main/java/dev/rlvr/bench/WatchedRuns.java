package dev.rlvr.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A program that is measured from outside as a user would run it: each round is one whole run of several steps, and counts as the median of
 * its steps from the second on. A step ends when the program adds a line to a file.
 */
final class WatchedRuns implements Contestant {
    private static final int LOOK_EVERY_MILLIS = 5;

    private final String name;
    private final ProcessBuilder command;
    private final Path folder;
    private final String lines;
    private final int steps;
    private Optional<Process> process = Optional.empty();

    /**
     * @param folder that the run writes to; emptied before each
     * @param lines file under it that gets one line per step
     */
    WatchedRuns(String name, ProcessBuilder command, Path folder, String lines, int steps) {
        this.name = name;
        this.command = command;
        this.folder = folder;
        this.lines = lines;
        this.steps = steps;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void start() throws IOException {
        Files.createDirectories(folder);
    }

    @Override
    public Round round() throws IOException {
        empty(folder);
        Path log = folder.resolveSibling(folder.getFileName() + ".log");
        Process run =
                command.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        process = Optional.of(run);
        try {
            return watch(run, log);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            Processes.end(run);
        }
    }

    private Round watch(Process run, Path log) throws IOException, InterruptedException {
        List<Long> times = new ArrayList<>();
        List<Double> cpu = new ArrayList<>();
        double peak = Double.NaN;
        while (times.size() < steps) {
            if (!run.isAlive()) {
                throw new IOException(name + " ended after " + times.size() + " of " + steps + " steps; see " + log);
            }
            peak = Math.max(Double.isNaN(peak) ? 0 : peak, Processes.memory(Long.toString(run.pid()), "VmHWM"));
            if (written() > times.size()) {
                times.add(System.nanoTime());
                cpu.add(Processes.cpuSeconds(run.pid()));
            }
            Thread.sleep(LOOK_EVERY_MILLIS);
        }
        double[] seconds = new double[steps - 1];
        double[] cpuSeconds = new double[steps - 1];
        for (int i = 0; i < steps - 1; i++) {
            seconds[i] = (times.get(i + 1) - times.get(i)) / 1e9;
            cpuSeconds[i] = cpu.get(i + 1) - cpu.get(i);
        }
        return new Round(Statistics.median(seconds), Statistics.median(cpuSeconds), Double.NaN, peak);
    }

    private int written() throws IOException {
        Path file = folder.resolve(lines);
        if (!Files.exists(file)) {
            return 0;
        }
        try (Stream<String> all = Files.lines(file)) {
            return Math.toIntExact(all.count());
        }
    }

    private static void empty(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                if (!path.equals(folder)) {
                    Files.delete(path);
                }
            }
        }
    }

    @Override
    public void close() {
        process.ifPresent(Processes::end);
    }
}
