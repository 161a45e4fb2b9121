package dev.rlvr.e2e.faults;

import dev.rlvr.e2e.TinyJob;
import java.io.IOException;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/**
 * Plays random fault schedules against jobs of four ranks, one after the other, as long as there are some that nobody else plays for the same
 * results. {@code e2e/faults/run.sh} starts it, in namespaces of its own: the trainers are the only processes there, and the only ones with
 * connections.
 */
final class Faults {
    private final Trainer trainer;
    private final Pods pods;
    private final Path folder;
    private final TinyJob tiny;
    private final Results results;
    private final Clock clock;

    private Faults(Trainer trainer, Pods pods, Path folder, TinyJob tiny, Results results, Clock clock) {
        this.trainer = trainer;
        this.pods = pods;
        this.folder = folder;
        this.tiny = tiny;
        this.results = results;
        this.clock = clock;
    }

    /**
     * Arguments: the folder of results; to play also the checkout, an empty folder, how many schedules, the seed of the first (the next has the
     * next), and the process that has the second pod's network. With the first alone it sums up.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        try (Results results = Results.open(Path.of(args[0]))) {
            if (args.length == 1) {
                Summary summary = Summary.of(results.outcomes());
                System.out.print(summary.text());
                System.exit(summary.allRight() ? 0 : 1);
            }
            Path checkout = Path.of(args[1]);
            Path folder = Path.of(args[2]);
            Trainer trainer = Trainer.of(
                    checkout,
                    Path.of(System.getProperty("java.home"), "bin", "java").toString());
            new Faults(
                            trainer,
                            Pods.join(Long.parseLong(args[5])),
                            folder,
                            TinyJob.write(folder, checkout),
                            results,
                            Clock.systemUTC())
                    .run(Integer.parseInt(args[3]), Long.parseLong(args[4]));
        }
    }

    private void run(int schedules, long seed) throws IOException, InterruptedException {
        for (long next = seed; next < seed + schedules; next++) {
            Optional<FileLock> claimed = results.claim(next);
            if (claimed.isPresent()) {
                try (FileLock _ = claimed.get()) {
                    play(Schedule.of(next));
                }
            }
        }
    }

    private void play(Schedule schedule) throws IOException, InterruptedException {
        Path scratch = folder.resolve("schedule");
        Path expected = undisturbed(schedule.sharding());
        long start = System.nanoTime();
        JobFolder job = JobFolder.make(scratch, tiny, schedule);
        Play play = new Play(trainer, pods, job, schedule);
        String violation = "";
        try {
            play.play(Optional.of(expected));
        } catch (Violation e) {
            violation = e.getMessage();
        } finally {
            job.unmount();
        }
        Outcome outcome = new Outcome(
                schedule.seed(),
                schedule.toString(),
                clock.instant().truncatedTo(ChronoUnit.SECONDS).toString(),
                (System.nanoTime() - start) / 1e9,
                load(),
                play.ended(),
                violation);
        results.add(outcome);
        System.out.println(outcome);
        if (!outcome.isRight()) {
            results.keepLogs(outcome, scratch);
        }
        delete(scratch);
    }

    /** Final weights of the run of four ranks with a sharding that nothing befalls; how they are spread over pods does not matter. */
    private Path undisturbed(String sharding) throws IOException, InterruptedException {
        try {
            return results.weights("%s-%s".formatted(trainer.built().getFileName(), sharding), weights -> {
                Path scratch = folder.resolve("undisturbed");
                Schedule calm = new Schedule(0, 2, sharding, 1, List.of());
                JobFolder job = JobFolder.make(scratch, tiny, calm);
                try {
                    new Play(trainer, pods, job, calm).play(Optional.empty());
                    Files.copy(job.weights(), weights);
                } finally {
                    job.unmount();
                }
                delete(scratch);
            });
        } catch (Violation e) {
            throw new IllegalStateException("a run of %s that nothing befell: %s".formatted(sharding, e.getMessage()));
        }
    }

    private static double load() throws IOException {
        return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0]);
    }

    private static void delete(Path folder) throws IOException, InterruptedException {
        Commands.run(List.of("rm", "-rf", folder.toString()));
    }
}
