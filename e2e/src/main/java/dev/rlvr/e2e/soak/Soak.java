package dev.rlvr.e2e.soak;

import dev.rlvr.e2e.TinyJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Runs a job of very many steps of a very small model through {@code ./rlvr run} and watches the trainer's resident memory: sampling,
 * verification, updates, checkpoints and reports, as in any run. Fails where memory after the warm-up grows by more than 5 %.
 * {@code e2e/soak/run.sh} starts it.
 */
final class Soak {
    private static final int ROWS = 10;
    private static final double MOST_GROWTH = 1.05;
    private static final Pattern PID = Pattern.compile("\"pid\"\\s*:\\s*(\\d+)");
    private static final Pattern STEP = Pattern.compile("\"step\"\\s*:\\s*(\\d+)");

    private final Path checkout;
    private final Path folder;
    private final int steps;

    /** Memory in KiB when so many steps were done. */
    private record Sight(int step, long residentKib) {}

    private Soak(Path checkout, Path folder, int steps) {
        this.checkout = checkout;
        this.folder = folder;
        this.steps = steps;
    }

    /** Arguments: the checkout, a folder for the run, which must not exist, and the number of steps. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Soak soak = new Soak(
                Path.of(args[0]).toAbsolutePath(), Path.of(args[1]).toAbsolutePath(), Integer.parseInt(args[2]));
        System.exit(soak.run() ? 0 : 1);
    }

    private boolean run() throws IOException, InterruptedException {
        prepare();
        long start = System.nanoTime();
        Process command = new ProcessBuilder(
                        checkout.resolve("rlvr").toString(),
                        "run",
                        folder.resolve("job.yaml").toString(),
                        "--work",
                        folder.resolve("work").toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log.txt").toFile())
                .start();
        List<Sight> sights = new ArrayList<>();
        while (!command.waitFor(500, TimeUnit.MILLISECONDS)) {
            look().ifPresent(sights::add);
        }
        if (command.exitValue() != 0) {
            System.out.println("the run failed: " + folder.resolve("log.txt"));
            return false;
        }
        return report(sights, Duration.ofNanos(System.nanoTime() - start));
    }

    private void prepare() throws IOException {
        Files.createDirectories(folder);
        String manifest = TinyJob.write(folder, checkout).manifest("soak", steps, "1e-7", """
                trainer: {gpusPerReplica: 0, threadsPerRank: 1}
                checkpoint: {everySteps: 100, keep: 2}
                """);
        Files.writeString(folder.resolve("job.yaml"), manifest);
    }

    private Optional<Sight> look() throws IOException {
        int step = newest(folder.resolve("work/trainer-status.json"), STEP);
        int pid = newest(folder.resolve("work/trainers.json"), PID);
        Path status = Path.of("/proc/" + pid + "/status");
        if (step < 1 || pid < 1 || Files.notExists(status)) {
            return Optional.empty();
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .map(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .map(kib -> new Sight(step, kib))
                    .findFirst();
        }
    }

    /** The first number in a file that may be replaced at this moment; 0 where there is none. */
    private static int newest(Path file, Pattern pattern) throws IOException {
        if (Files.notExists(file)) {
            return 0;
        }
        Matcher matcher = pattern.matcher(Files.readString(file));
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    private boolean report(List<Sight> sights, Duration time) {
        System.out.println("| steps | resident memory, median | highest |");
        System.out.println("|---|---|---|");
        List<Double> medians = new ArrayList<>();
        for (int row = 0; row < ROWS; row++) {
            int from = row * steps / ROWS;
            int to = (row + 1) * steps / ROWS;
            List<Long> seen = sights.stream()
                    .filter(sight -> sight.step() > from && sight.step() <= to)
                    .map(Sight::residentKib)
                    .sorted()
                    .toList();
            if (seen.isEmpty()) {
                System.out.printf("no look at steps %d to %d: the run is too short%n", from + 1, to);
                return false;
            }
            double median = seen.get(seen.size() / 2) / 1024.0;
            medians.add(median);
            System.out.printf(
                    Locale.ROOT, "| %d-%d | %.1f MiB | %.1f MiB |%n", from + 1, to, median, seen.getLast() / 1024.0);
        }
        // the first tenth is the warm-up: the JIT compiles and heaps reach their size
        double growth = medians.getLast() / medians.get(1);
        boolean flat = growth <= MOST_GROWTH;
        System.out.printf(
                Locale.ROOT,
                "%n%d steps in %d s. After the warm-up (the first tenth) memory changed by %+.1f %%: %s (limit 5 %%).%n",
                steps,
                time.toSeconds(),
                100 * (growth - 1),
                flat ? "flat" : "IT GROWS");
        return flat;
    }
}
