package dev.rlvr.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
    private final Optional<ProcessBuilder> check;
    private final Path folder;
    private final String lines;
    private final int steps;
    private Optional<Process> process = Optional.empty();

    /**
     * @param check a command that fails if the program cannot do this at all
     * @param folder that the run writes to; emptied before each
     * @param lines file under it that gets one line per step
     */
    WatchedRuns(
            String name, ProcessBuilder command, Optional<ProcessBuilder> check, Path folder, String lines, int steps) {
        this.name = name;
        this.command = command;
        this.check = check;
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
        if (check.isPresent()) {
            Process checking = check.get().redirectErrorStream(true).start();
            process = Optional.of(checking);
            String said = new String(checking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (exitCode(checking) != 0) {
                throw new UnavailableException(said.strip());
            }
        }
    }

    private static int exitCode(Process process) throws IOException {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
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
        Seen seen = new Seen(0, 0);
        while (times.size() < steps) {
            boolean alive = run.isAlive();
            seen = seen.look(run.pid());
            if (written() > times.size()) {
                times.add(System.nanoTime());
                cpu.add(seen.cpuSeconds());
            } else if (!alive) {
                throw new IOException(name + " ended after " + times.size() + " of " + steps + " steps; see " + log);
            } else {
                Thread.sleep(LOOK_EVERY_MILLIS);
            }
        }
        double[] seconds = new double[steps - 1];
        double[] cpuSeconds = new double[steps - 1];
        for (int i = 0; i < steps - 1; i++) {
            seconds[i] = (times.get(i + 1) - times.get(i)) / 1e9;
            cpuSeconds[i] = cpu.get(i + 1) - cpu.get(i);
        }
        return new Round(Statistics.median(seconds), Statistics.median(cpuSeconds), Double.NaN, seen.peak());
    }

    /** What was last seen of a process and those that it started; that stays when it has ended. */
    private record Seen(double cpuSeconds, double peak) {
        Seen look(long pid) throws IOException {
            try {
                double cpu = 0;
                double now = 0;
                for (long process : Processes.family(pid)) {
                    cpu += Processes.cpuSeconds(process);
                    now += Processes.memory(Long.toString(process), "VmHWM");
                }
                return new Seen(cpu, now > peak ? now : peak);
            } catch (IOException e) {
                // whatever ends meanwhile has no file any more, or one that cannot be read to its end
                if (e instanceof NoSuchFileException || "No such process".equals(e.getMessage())) {
                    return this;
                }
                throw e;
            }
        }
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
