package dev.rlvr.e2e.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/** One schedule, played: attempt after attempt, as a back end would start them, until the job is done. */
final class Play {
    /** From a loss to the end of everything; the machine may be busy, and a look takes its time, too. */
    private static final long FAST_SECONDS = JobFolder.PEER_TIMEOUT_SECONDS + 4;

    /** The same while processes still start: a rank has 60 s until its first sign of life. */
    private static final long STARTING_SECONDS = 60 + FAST_SECONDS;

    /** For a whole attempt that nothing fast befalls. */
    private static final long ATTEMPT_SECONDS = 150;

    private static final int LONGEST_PAUSE_MILLIS = JobFolder.PEER_TIMEOUT_SECONDS * 1000 / 2;
    private static final int LOOK_MILLIS = 50;
    private static final double NANOS = 1e9;

    private final Trainer trainer;
    private final Pods pods;
    private final JobFolder job;
    private final Schedule schedule;
    private final SplittableRandom random;
    private final Deque<Schedule.Planned> left;
    private final List<Outcome.Attempted> ended = new ArrayList<>();

    Play(Trainer trainer, Pods pods, JobFolder job, Schedule schedule) {
        this.trainer = trainer;
        this.pods = pods;
        this.job = job;
        this.schedule = schedule;
        this.random = new SplittableRandom(~schedule.seed());
        this.left = new ArrayDeque<>(schedule.faults());
    }

    /** A fault that has happened, and when. */
    private record Struck(Fault fault, String what, long at) {}

    /** The attempts that have ended as they should have. */
    List<Outcome.Attempted> ended() {
        return List.copyOf(ended);
    }

    /**
     * Plays it.
     *
     * @param expected the weights to end with; empty where they are to be found out
     */
    void play(Optional<Path> expected) throws IOException, InterruptedException, Violation {
        int number = 0;
        do {
            number++;
            ended.add(attempt(number));
        } while (!ended.getLast().succeeded());
        job.requireAllSteps();
        if (expected.isPresent()
                && !Arrays.equals(Files.readAllBytes(expected.get()), Files.readAllBytes(job.weights()))) {
            throw new Violation("the weights are not those of the undisturbed run");
        }
    }

    private Outcome.Attempted attempt(int number) throws IOException, InterruptedException, Violation {
        int newest = job.newestWhole();
        List<Integer> damaged = job.damagedAndNewest();
        Attempt attempt = Attempt.start(trainer, pods, job, schedule, number);
        try {
            List<Struck> struck = strike(attempt);
            List<Struck> ending = struck.stream()
                    .filter(one -> one.fault().effect() != Fault.Effect.None)
                    .toList();
            boolean starting = !ending.isEmpty() && attempt.from().isEmpty();
            awaitEnd(attempt, ending, starting);
            double seconds = ending.isEmpty()
                    ? -1
                    : (System.nanoTime() - ending.getFirst().at()) / NANOS;
            attempt.clean();
            pods.restore();
            job.freeDisk();
            requireRightStart(attempt, newest, damaged);
            if (job.newestWhole() < newest) {
                throw new Violation("checkpoint %d is gone, and no newer one is whole".formatted(newest));
            }
            boolean succeeded = attempt.succeeded();
            if (!succeeded && ending.isEmpty()) {
                throw new Violation("attempt %d ended, and nothing had befallen it but %s: %s"
                        .formatted(number, struck.stream().map(Struck::what).toList(), attempt.why()));
            }
            return new Outcome.Attempted(
                    damageCheckpoints(struck, succeeded), succeeded, seconds, starting, attempt.why());
        } catch (Violation e) {
            attempt.abort();
            pods.restore();
            throw new Violation("attempt %d: %s".formatted(number, e.getMessage()));
        }
    }

    private List<Struck> strike(Attempt attempt) throws IOException, InterruptedException {
        List<Struck> struck = new ArrayList<>();
        boolean together = false;
        boolean going = true;
        while (going && !left.isEmpty()) {
            Schedule.Planned planned = left.getFirst();
            boolean there = together ? pause(planned.millis() % 500, attempt) : awaitMoment(planned, attempt);
            if (!there) {
                return struck;
            }
            left.removeFirst();
            Optional<Struck> done = strike(planned.fault(), attempt);
            done.ifPresent(struck::add);
            together = planned.withNext();
            going = done.isEmpty() || together || planned.fault().effect() == Fault.Effect.None;
        }
        return struck;
    }

    /** Returns whether the attempt still runs then. */
    private boolean awaitMoment(Schedule.Planned planned, Attempt attempt) throws IOException, InterruptedException {
        if (planned.steps() == 0) {
            long from = attempt.startedAt() + TimeUnit.MILLISECONDS.toNanos(planned.millis());
            return pause(Math.max(0, (from - System.nanoTime()) / 1_000_000), attempt);
        }
        while (attempt.from().isEmpty()) {
            if (!pause(LOOK_MILLIS, attempt)) {
                return false;
            }
        }
        int step = Math.min(JobFolder.STEPS, job.reportedSteps() + planned.steps());
        while (job.reportedSteps() < step) {
            if (!pause(LOOK_MILLIS, attempt)) {
                return false;
            }
        }
        return pause(planned.millis(), attempt);
    }

    private static boolean pause(long millis, Attempt attempt) throws InterruptedException {
        Thread.sleep(millis);
        boolean late = System.nanoTime() - attempt.startedAt() > TimeUnit.SECONDS.toNanos(ATTEMPT_SECONDS);
        return !late && !attempt.over();
    }

    private Optional<Struck> strike(Fault fault, Attempt attempt) throws IOException, InterruptedException {
        return switch (fault) {
            case KillRank -> kill(fault, attempt, rank(attempt));
            case KillLauncher -> kill(fault, attempt, Optional.of(launcher(attempt)));
            case FreezeRank -> freeze(fault, attempt, rank(attempt));
            case FreezeLauncher -> freeze(fault, attempt, Optional.of(launcher(attempt)));
            case CorruptCheckpoint, DeleteCheckpointFile -> kill(fault, attempt, any(attempt));
            case Slow -> {
                Optional<Long> process = any(attempt);
                if (process.isEmpty()) {
                    yield Optional.empty();
                }
                int millis = random.nextInt(300, LONGEST_PAUSE_MILLIS);
                Struck struck = struck(fault, "%s froze for %d ms".formatted(attempt.name(process.get()), millis));
                Commands.signal("STOP", process.get());
                Thread.sleep(millis);
                Commands.signal("CONT", process.get());
                yield Optional.of(struck);
            }
            case CutConnection ->
                pods.reset(random.nextInt(schedule.pods()), random, attempt::name)
                        .map(between -> struck(fault, "reset " + between));
            case CutNetwork -> {
                Struck struck = struck(fault, "cut the network");
                pods.cut();
                yield Optional.of(struck);
            }
            case FullDisk -> {
                job.fillDisk();
                yield Optional.of(struck(fault, "filled the disk"));
            }
        };
    }

    private static Struck struck(Fault fault, String what) {
        return new Struck(fault, what, System.nanoTime());
    }

    private static Optional<Struck> kill(Fault fault, Attempt attempt, Optional<Long> process)
            throws InterruptedException {
        if (process.isEmpty()) {
            return Optional.empty();
        }
        Struck struck = struck(fault, "killed " + attempt.name(process.get()));
        attempt.kill(process.get());
        return Optional.of(struck);
    }

    private static Optional<Struck> freeze(Fault fault, Attempt attempt, Optional<Long> process)
            throws InterruptedException {
        if (process.isEmpty()) {
            return Optional.empty();
        }
        Struck struck = struck(fault, "froze " + attempt.name(process.get()));
        attempt.freeze(process.get());
        return Optional.of(struck);
    }

    private Optional<Long> rank(Attempt attempt) throws InterruptedException {
        return attempt.rank(random.nextInt(Schedule.RANKS));
    }

    private long launcher(Attempt attempt) {
        return attempt.launcher(random.nextInt(schedule.pods()));
    }

    private Optional<Long> any(Attempt attempt) throws InterruptedException {
        return random.nextInt(3) == 0 ? Optional.of(launcher(attempt)) : rank(attempt);
    }

    private static void awaitEnd(Attempt attempt, List<Struck> ending, boolean starting)
            throws InterruptedException, Violation {
        Optional<Struck> fast = ending.reversed().stream()
                .filter(one -> one.fault().effect() == Fault.Effect.Fast)
                .findFirst();
        long limit = fast.isEmpty() ? ATTEMPT_SECONDS : starting ? STARTING_SECONDS : FAST_SECONDS;
        long from = fast.map(Struck::at).orElse(attempt.startedAt());
        if (!attempt.await(from + TimeUnit.SECONDS.toNanos(limit))) {
            throw new Violation("has not ended within %d s of %s"
                    .formatted(limit, fast.map(Struck::what).orElse("its start")));
        }
    }

    /** No damaged checkpoint is ever loaded, and no whole one is ever passed over. */
    private static void requireRightStart(Attempt attempt, int newest, List<Integer> damaged)
            throws IOException, Violation {
        OptionalInt from = attempt.from();
        if (from.isEmpty()) {
            return;
        }
        if (from.getAsInt() != newest) {
            throw new Violation("went on from step %d, and checkpoint %d is the newest whole one; damaged are %s"
                    .formatted(from.getAsInt(), newest, damaged));
        }
        for (int step : damaged) {
            String line = "ignoring checkpoint .*step-%06d".formatted(step);
            if (attempt.lines().noneMatch(said -> said.matches(".*" + line + ".*"))) {
                throw new Violation("says nothing of the damaged checkpoint " + step);
            }
        }
    }

    private List<Outcome.Happened> damageCheckpoints(List<Struck> struck, boolean succeeded) throws IOException {
        List<Outcome.Happened> done = new ArrayList<>();
        for (Struck one : struck) {
            Optional<String> what = one.fault().damagesCheckpoint() && !succeeded
                    ? job.damage(one.fault() == Fault.DeleteCheckpointFile, random)
                    : Optional.empty();
            done.add(new Outcome.Happened(
                    one.fault(), one.what() + what.map(how -> ", " + how).orElse("")));
        }
        return done;
    }
}
