package dev.rlvr.e2e.faults;

import dev.rlvr.e2e.RandomModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Plays random fault schedules against jobs of four ranks, one after the other; stops at the first that does not end as it should.
 * {@code e2e/faults/run.sh} starts it, in namespaces of its own: the trainers are the only processes there, and the only ones with connections.
 */
final class Faults {
    private final Trainer trainer;
    private final Pods pods;
    private final Path folder;
    private final Map<String, Path> undisturbed = new HashMap<>();
    private final Summary summary = new Summary();

    private Faults(Trainer trainer, Pods pods, Path folder) {
        this.trainer = trainer;
        this.pods = pods;
        this.folder = folder;
    }

    /**
     * Arguments: the checkout, an empty folder, how many schedules, the seed of the first (the next has the next), the process that has the
     * second pod's network.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        Trainer trainer = Trainer.of(
                Path.of(args[0]),
                Path.of(System.getProperty("java.home"), "bin", "java").toString());
        Faults faults = new Faults(trainer, Pods.join(Long.parseLong(args[4])), Path.of(args[1]));
        System.exit(faults.run(Integer.parseInt(args[2]), Long.parseLong(args[3])) ? 0 : 1);
    }

    private boolean run(int schedules, long seed) throws IOException, InterruptedException {
        inputs();
        for (long next = seed; next < seed + schedules; next++) {
            Schedule schedule = Schedule.of(next);
            try {
                play(schedule);
            } catch (Violation e) {
                System.out.printf(
                        "%nVIOLATION in schedule %s%n%s%nTo play it again: e2e/faults/run.sh 1 %d%n",
                        schedule, e.getMessage(), next);
                return false;
            }
        }
        System.out.println();
        System.out.print(summary.table());
        return true;
    }

    private void play(Schedule schedule) throws IOException, InterruptedException, Violation {
        Path expected = undisturbed(schedule.sharding());
        long start = System.nanoTime();
        Path scratch = folder.resolve("schedule");
        JobFolder job = JobFolder.make(scratch, folder, schedule);
        try {
            List<Play.Ended> attempts = new Play(trainer, pods, job, schedule).play(Optional.of(expected));
            double seconds = (System.nanoTime() - start) / 1e9;
            summary.add(attempts, seconds);
            System.out.printf(
                    Locale.ROOT,
                    "seed %d | %d x %d %s, every %d | %s | %d attempts | succeeded | %.1f s | longest from fault to end %s%n",
                    schedule.seed(),
                    schedule.pods(),
                    schedule.ranksPerPod(),
                    schedule.sharding(),
                    schedule.checkpointEvery(),
                    attempts.stream().map(Faults::text).collect(Collectors.joining("; ")),
                    attempts.size(),
                    seconds,
                    attempts.stream().mapToDouble(Play.Ended::seconds).filter(one -> one >= 0).max().stream()
                            .mapToObj("%.1f s"::formatted)
                            .findFirst()
                            .orElse("-"));
        } finally {
            job.unmount();
        }
        delete(scratch);
    }

    private static String text(Play.Ended attempt) {
        String faults = attempt.faults().isEmpty()
                ? "no fault"
                : attempt.faults().stream().map(Play.Struck::what).collect(Collectors.joining(" + "));
        return faults
                + (attempt.starting() ? " (starting)" : "")
                + (attempt.seconds() < 0 ? "" : String.format(Locale.ROOT, " -> %.1f s", attempt.seconds()))
                + (attempt.why().isBlank() ? "" : " '" + attempt.why() + "'");
    }

    /** Final weights of the run of four ranks with a sharding that nothing befalls; how they are spread over pods does not matter. */
    private Path undisturbed(String sharding) throws IOException, InterruptedException, Violation {
        if (!undisturbed.containsKey(sharding)) {
            Path scratch = folder.resolve("undisturbed");
            Path weights = folder.resolve("weights-" + sharding);
            Schedule calm = new Schedule(0, 2, sharding, 1, List.of());
            long start = System.nanoTime();
            JobFolder job = JobFolder.make(scratch, folder, calm);
            try {
                new Play(trainer, pods, job, calm).play(Optional.empty());
                Files.copy(job.weights(), weights);
            } finally {
                job.unmount();
            }
            delete(scratch);
            System.out.printf(Locale.ROOT, "undisturbed, %s: %.1f s%n", sharding, (System.nanoTime() - start) / 1e9);
            undisturbed.put(sharding, weights);
        }
        return undisturbed.get(sharding);
    }

    private void inputs() throws IOException {
        new RandomModel(49, 32, 64, 2, 2, 2, 16)
                .write(folder.resolve("model"), trainer.checkout().resolve("examples/quickstart/model"));
        StringBuilder problems = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            problems.append(
                    "{\"prompt\": \"%d + %d = \", \"answer\": \"%d\"}\n".formatted(i % 7, i % 4, (i % 7 + i % 4) % 10));
        }
        Files.writeString(folder.resolve("problems.jsonl"), problems);
    }

    private static void delete(Path folder) throws IOException, InterruptedException {
        Commands.run(List.of("rm", "-rf", folder.toString()));
    }
}
