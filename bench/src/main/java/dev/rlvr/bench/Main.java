package dev.rlvr.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code bench/run}. */
@Command(
        name = "bench/run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Compares the trainer with its Python peers on this machine, in turn, and writes docs/benchmarks.md.",
        footer = {
            "",
            "The peers are installed into bench/peers/.venv the first time (6 GB); PYTHON names the Python to make it with.",
            "Run it on a machine that has nothing else to do; CPU seconds suffer less from company than the clock.",
            "bench/run scaling --help: a model of step times on many GPUs, checked against this machine."
        })
final class Main implements Callable<Integer> {
    private static final int QUICK_ROUNDS = 3;

    @Parameters(
            arity = "0..*",
            paramLabel = "WHAT",
            description =
                    "training, rollout, grpo, ranks, collective, head, checkpoint, or a benchmark's name such as training-8m-f32. Default: all.")
    private List<String> asked = new ArrayList<>();

    @Option(names = "--list", description = "Say what there is and stop.")
    private boolean list;

    @Option(names = "--quick", description = "Three rounds, one for warming up; the smaller model where there are two.")
    private boolean quick;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "Measured rounds of each benchmark. Default: as many as it needs, 3 to 10.")
    private int rounds;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of each side. Default: all cores.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--output",
            paramLabel = "FOLDER",
            description = "Folder of benchmarks.json and benchmarks.md. Default: docs.")
    private Path output = Path.of("");

    private final Path checkout;

    private Main(Path checkout) {
        this.checkout = checkout;
    }

    public static void main(String[] args) {
        Sides.main(Main::new, args);
    }

    @Override
    public Integer call() throws IOException {
        Sides sides = new Sides(checkout, threads);
        Peers peers = new Peers(sides);
        peers.install();
        peers.models();
        List<Benchmark> chosen = chosen(new Catalogue(sides).all());
        if (list) {
            chosen.forEach(benchmark -> System.out.printf("%-22s %s%n", benchmark.name(), benchmark.what()));
            return 0;
        }
        Path folder = output.toString().isEmpty() ? checkout.resolve("docs") : output;
        Files.createDirectories(folder);
        Machine machine = Machine.here(sides);
        boolean comparable = true;
        for (Benchmark benchmark : chosen) {
            Outcome outcome = new InTurn(System.err).run(benchmark);
            comparable &= outcome.disagreeing().isEmpty();
            // after each benchmark, since the next ones take long and may be interrupted
            Report report = Report.of(folder.resolve("benchmarks.json"));
            report.add(outcome, machine, threads, LocalDate.now(ZoneOffset.UTC));
            report.write(folder.resolve("benchmarks.json"), folder.resolve("benchmarks.md"));
        }
        System.out.print(Report.of(folder.resolve("benchmarks.json")).table());
        return comparable ? 0 : 1;
    }

    private List<Benchmark> chosen(List<Benchmark> all) {
        for (String name : asked) {
            if (all.stream().noneMatch(benchmark -> benchmark.is(name))) {
                throw new CommandLine.ParameterException(
                        new CommandLine(this),
                        "there is no benchmark " + name + "; bench/run --list says what there is");
            }
        }
        return all.stream()
                .filter(benchmark -> asked.isEmpty()
                        ? !(quick && benchmark.name().startsWith("training-135m"))
                        : asked.stream().anyMatch(benchmark::is))
                .map(benchmark -> rounds > 0 ? benchmark.withRounds(rounds, benchmark.warmups()) : benchmark)
                .map(benchmark -> quick && rounds == 0
                        ? benchmark.withRounds(QUICK_ROUNDS, Math.min(1, benchmark.warmups()))
                        : benchmark)
                .toList();
    }
}
