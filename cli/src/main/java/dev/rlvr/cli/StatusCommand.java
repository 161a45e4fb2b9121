package dev.rlvr.cli;

import dev.rlvr.cli.local.UserException;
import dev.rlvr.cli.local.WorkFolder;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import io.fabric8.kubernetes.api.model.Condition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "status",
        description = "Print where local runs are, as kubectl would.",
        mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "DIR",
            description = "Work folder of one run, shown with its conditions. Default: all under runs/.")
    private @Nullable Path folder;

    private final Clock clock = Clock.systemUTC();

    @Override
    public Integer call() throws IOException {
        List<Path> folders = folder == null ? allRuns() : List.of(folder);
        if (folders.isEmpty()) {
            System.out.println("No runs under runs/.");
            return 0;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("NAME", "STATE", "STEP", "REWARD", "ENTROPY", "TOK/S", "RESTARTS", "AGE"));
        for (Path run : folders) {
            rows.add(row(run, statusOf(run)));
        }
        Columns.print(rows);
        if (folders.size() == 1) {
            conditions(statusOf(folders.getFirst()));
        }
        return 0;
    }

    private static List<Path> allRuns() throws IOException {
        Path runs = Path.of("runs");
        if (!Files.isDirectory(runs)) {
            return List.of();
        }
        try (Stream<Path> content = Files.list(runs)) {
            return content.filter(run -> Files.exists(run.resolve("status.json")))
                    .sorted()
                    .toList();
        }
    }

    private static RLVRJobStatus statusOf(Path run) throws IOException {
        return WorkFolder.readStatus(run)
                .orElseThrow(() -> new UserException(run + ": no status.json there; name the work folder of a run"));
    }

    private List<String> row(Path run, RLVRJobStatus status) {
        Progress progress = status.progress();
        return List.of(
                Manifest.read(run.resolve("job.yaml")).getMetadata().getName(),
                status.state() == null ? "" : status.state().name(),
                progress == null ? "" : Integer.toString(progress.step()),
                progress == null ? "" : number("%.3f", progress.rewardMean()),
                progress == null ? "" : number("%.4f", progress.entropyMean()),
                progress == null ? "" : number("%.0f", progress.tokensPerSecond()),
                status.restarts() == null
                        ? "0"
                        : Integer.toString(status.restarts().total()),
                status.startTime() == null
                        ? ""
                        : age(Duration.between(Instant.parse(status.startTime()), clock.instant())));
    }

    private static String number(String format, @Nullable Double value) {
        return value == null ? "" : String.format(Locale.ROOT, format, value);
    }

    /** As kubectl shows ages: the largest unit that leaves at least two. */
    static String age(Duration time) {
        if (time.toMinutes() < 2) {
            return time.toSeconds() + "s";
        }
        if (time.toHours() < 3) {
            return time.toMinutes() + "m";
        }
        return time.toDays() < 2 ? time.toHours() + "h" : time.toDays() + "d";
    }

    private static void conditions(RLVRJobStatus status) {
        if (status.conditions() == null) {
            return;
        }
        System.out.println();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("CONDITION", "STATUS", "REASON", "MESSAGE"));
        for (Condition condition : status.conditions()) {
            rows.add(
                    List.of(condition.getType(), condition.getStatus(), condition.getReason(), condition.getMessage()));
        }
        Columns.print(rows);
    }
}
