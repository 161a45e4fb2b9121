package dev.rlvr.e2e.scale;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.e2e.KubeAssets;
import dev.rlvr.e2e.PlayedAssets;
import dev.rlvr.e2e.PlayedNodes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code bench/operator/run}. */
@Command(
        name = "bench/operator/run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures the operator with thousands of jobs on a real control plane whose nodes are played.",
        footer = {
            "",
            "Run it on a machine that has nothing else to do. docs/scale.md says what is measured and how.",
            "It needs Go once, for about 11 CPU-minutes of building, no root and about 4 GiB of memory."
        })
final class ScaleBenchmark implements Callable<Integer> {
    @Option(names = "--jobs", paramLabel = "N", description = "RLVRJobs. Default: ${DEFAULT-VALUE}.")
    private int jobs = 5_000;

    @Option(names = "--pods", paramLabel = "N", description = "Pods of each. Default: ${DEFAULT-VALUE}.")
    private int pods = 2;

    @Option(
            names = "--namespaces",
            paramLabel = "N",
            description = "Namespaces that they are in, a team's each. Default: ${DEFAULT-VALUE}.")
    private int namespaces = 20;

    @Option(
            names = "--rate",
            paramLabel = "N",
            description = "Jobs that are created a second. Default: 0, as fast as the clients can.")
    private double rate;

    @Option(
            names = "--clients",
            paramLabel = "N",
            description = "Clients that create and delete at the same time. Default: ${DEFAULT-VALUE}.")
    private int clients = 8;

    @Option(
            names = "--bare-jobs",
            paramLabel = "N",
            description = "Jobs whose objects a bare client creates, for comparison. Default: a fifth.")
    private int bareJobs = -1;

    @Option(
            names = "--storm-jobs",
            paramLabel = "N",
            description = "Jobs that are created in each storm. Default: ${DEFAULT-VALUE}.")
    private int stormJobs = 100;

    @Option(names = "--idle", paramLabel = "S", description = "Seconds to count writes in. Default: ${DEFAULT-VALUE}.")
    private int idle = 60;

    @Option(
            names = "--jvm",
            paramLabel = "OPTION",
            description = "One more option of the operator's JVM, for profiling.")
    private List<String> jvm = new ArrayList<>();

    @Option(names = "--output", paramLabel = "FOLDER", required = true, description = "Folder for figures and logs.")
    private Path output = Path.of("");

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new ScaleBenchmark()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path home = Path.of(System.getProperty("rlvr.home")).toAbsolutePath();
        Files.createDirectories(output);
        ScaleRun.Size size = new ScaleRun.Size(
                jobs, pods, namespaces, bareJobs < 0 ? Math.max(1, jobs / 5) : bareJobs, stormJobs, idle);
        Path audit = output.toAbsolutePath().resolve("audit.log");
        Files.deleteIfExists(audit);
        try (PlayedNodes cluster = PlayedNodes.start(
                PlayedAssets.on(System.getProperty("rlvr.kube.path")),
                home.resolve("e2e/kwok/stages.yaml"),
                size.nodes(),
                ScaleRun.apiServer(output.toAbsolutePath(), audit))) {
            ScaleRun run = new ScaleRun(
                    cluster, home, output.toAbsolutePath(), new AuditLog(audit), size, new Clients(clients, rate), jvm);
            Outcome outcome = run.run();
            ObjectMapper json = JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build();
            ObjectNode root = outcome.figures();
            root.set("targets", outcome.targets().json());
            json.writeValue(output.resolve("scale.json").toFile(), root);
            String page = outcome.page(machine());
            Files.writeString(output.resolve("scale.md"), page);
            System.out.print(page);
            return outcome.targets().met() ? 0 : 1;
        }
    }

    private static String machine() throws IOException {
        double memory = Double.parseDouble(field("/proc/meminfo", "MemTotal").replaceAll("[^0-9]", "")) / (1 << 20);
        return String.format(
                Locale.ROOT,
                "%s, %d cores of %s, %.0f GiB, Kubernetes %s, Java %s",
                LocalDate.now(ZoneOffset.UTC),
                Runtime.getRuntime().availableProcessors(),
                field("/proc/cpuinfo", "model name"),
                memory,
                KubeAssets.VERSION,
                Runtime.version().feature());
    }

    private static String field(String file, String name) throws IOException {
        return Files.readAllLines(Path.of(file)).stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }
}
