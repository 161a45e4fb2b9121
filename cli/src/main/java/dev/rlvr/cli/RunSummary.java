package dev.rlvr.cli;

import dev.rlvr.cli.console.Figures;
import dev.rlvr.cli.local.UserException;
import dev.rlvr.cli.local.WorkFolder;
import dev.rlvr.cli.report.Report;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Condition;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What is left to say when a run is over.
 *
 * @param folder its work folder
 * @param status its last status
 * @param out where to say it
 */
record RunSummary(WorkFolder folder, RLVRJobStatus status, PrintStream out) {
    private static final int LAST_LINES = 15;

    /** The job has just ended: results, or what went wrong; returns the exit code. */
    int ended() {
        if (status.state() == State.Succeeded) {
            out.println("Done" + duration().map(d -> " in " + d).orElse("") + steps() + ".");
            results();
            report();
            return 0;
        }
        failure();
        lastLines();
        report();
        return exitCode();
    }

    /** The job ended in an earlier command; returns the exit code that it had. */
    int endedBefore() {
        if (status.state() == State.Succeeded) {
            out.println("This job is done" + steps() + ".");
            results();
            place("report", "report.html");
            return 0;
        }
        failure();
        return exitCode();
    }

    /** The run was interrupted; returns the exit code given. */
    int stopped(String command, int exitCode) {
        String step = status.progress() == null
                ? "Stopped before the first step"
                : "Stopped after step " + status.progress().step() + " of "
                        + status.progress().totalSteps();
        String checkpoint = status.checkpoint() == null
                ? "; there is no checkpoint yet, so the same command begins again:"
                : "; the checkpoint of step " + status.checkpoint().step() + " is in "
                        + RunCommand.shown(
                                folder.path().resolve(status.checkpoint().path()))
                        + ". The same command goes on from there:";
        out.println(step + checkpoint);
        out.println("  " + command);
        return exitCode;
    }

    private String steps() {
        return status.progress() == null
                ? ""
                : ": " + status.progress().step() + " steps"
                        + (Objects.requireNonNullElse(status.attempt(), 1) > 1
                                ? ", " + status.attempt() + " attempts"
                                : "");
    }

    private Optional<String> duration() {
        return status.startTime() == null || status.completionTime() == null
                ? Optional.empty()
                : Optional.of(Figures.clock(
                        Duration.between(Instant.parse(status.startTime()), Instant.parse(status.completionTime()))));
    }

    private void results() {
        List<String> table = status.evaluation() == null ? List.of() : Figures.beforeAndAfter(status.evaluation());
        if (!table.isEmpty()) {
            out.println();
            table.forEach(line -> out.println("  " + line));
            out.println();
        }
        place("trained model", "model");
    }

    private void place(String what, String file) {
        Path path = folder.path().resolve(file);
        if (Files.exists(path)) {
            out.printf("  %-15s%s%n", what, RunCommand.shown(path));
        }
    }

    private void report() {
        if (!Files.exists(folder.path().resolve("metrics.jsonl"))) {
            return;
        }
        try {
            Report.Result result = Report.write(folder.path());
            place("report", "report.html");
            place("pictures", "pictures");
            result.withoutPictures().ifPresent(out::println);
        } catch (IOException | UserException e) {
            out.println("  no report: " + e.getMessage());
        }
    }

    private void failure() {
        out.println("The job failed: "
                + condition("Failed").map(Condition::getMessage).orElse("see the log"));
    }

    private int exitCode() {
        return condition("Failed").filter(c -> "BadInput".equals(c.getReason())).isPresent() ? 2 : 1;
    }

    private void lastLines() {
        Path log = folder.log(Objects.requireNonNullElse(status.attempt(), 1), 0);
        try {
            List<String> lines = Files.readAllLines(log);
            out.println("Last lines of " + RunCommand.shown(log) + ":");
            lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size())
                    .forEach(line -> out.println("  " + line));
        } catch (MalformedInputException e) {
            out.println("The log is in " + RunCommand.shown(log));
        } catch (IOException e) {
            // There is no log where the trainer never started.
        }
    }

    private Optional<Condition> condition(String type) {
        return status.conditions() == null
                ? Optional.empty()
                : status.conditions().stream()
                        .filter(c -> c.getType().equals(type))
                        .findFirst();
    }
}
