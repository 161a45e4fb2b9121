package dev.rlvr.e2e.chaos;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.chaos.History.Version;
import dev.rlvr.e2e.operator.OperatorRights;
import dev.rlvr.e2e.operator.PodGroupKind;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Some schedules at once, in a namespace of their own, with one operator: a storm, the calm after it, and silence. */
final class Batch {
    /** In which every job must have ended; the longest back-off and the deadlines that can be met on the way are in it. */
    private static final Duration PATIENCE = Duration.ofSeconds(150);

    private static final Duration LONGEST_STORM = Duration.ofSeconds(60);

    /** Of each job, in a storm, on average. */
    private static final int REQUESTS = 60;

    /** How long nothing may be asked for once all has ended. */
    private static final Duration SILENCE = Duration.ofSeconds(2);

    /** Until then that must have been so once: a watch is 2 s late at most, on a machine that has time. */
    private static final Duration LAST_NEWS = Duration.ofSeconds(10);

    private final ApiServer api;
    private final Map<String, Life> lives;
    private final long seed;

    Batch(ApiServer api, long firstSeed, int schedules) {
        this.api = api;
        this.seed = firstSeed;
        this.lives = LongStream.range(firstSeed, firstSeed + schedules)
                .mapToObj(Schedule::of)
                .collect(Collectors.toMap(Schedule::name, Life::new, (one, other) -> one, LinkedHashMap::new));
    }

    /**
     * What came of it.
     *
     * @param violations the broken promises of each job, with its story
     * @param ends how many jobs ended in which state; those that were deleted have none
     * @param faults what befell requests and watches
     * @param replaced how many operators were, by death or by a successor
     * @param attempts how many were made
     * @param took from the first look at the namespace to the last
     */
    record Outcome(
            List<String> violations,
            Map<String, Integer> ends,
            long faults,
            int replaced,
            int attempts,
            Duration took) {}

    Outcome play() throws InterruptedException {
        long begin = System.nanoTime();
        api.applyCrd();
        FastClock clock = new FastClock();
        String namespace = api.createNamespace("storm");
        Storm storm = new Storm(lives, seed);
        try (KubernetesClient client = api.admin();
                ChaosProxy proxy = new ChaosProxy(api.url(), storm)) {
            OperatorRights.grant(client, namespace);
            PodGroupKind.VOLCANO.install(client, namespace);
            try (History history = History.of(client, namespace);
                    StormyCluster cluster = new StormyCluster(client, namespace, lives, history, clock);
                    Operators operators =
                            new Operators(proxy, OperatorRights.kubeconfig(api, namespace), namespace, clock)) {
                operators.start();
                storm.begins();
                cluster.start();
                rage(storm);
                storm.ends();
                cluster.calm();
                List<String> violations = new ArrayList<>(awaitEnds(history));
                if (violations.isEmpty()) {
                    violations.addAll(silence(storm));
                }
                List<Version> versions = history.versions();
                violations.addAll(broken(versions));
                return new Outcome(
                        violations,
                        ends(history),
                        storm.faults(),
                        operators.replaced(),
                        attempts(versions),
                        Duration.ofNanos(System.nanoTime() - begin));
            }
        }
    }

    /** A storm lasts until it has met enough requests, too: on a slow machine that takes longer. */
    private void rage(Storm storm) throws InterruptedException {
        pause(Schedule.STORM);
        long begin = System.nanoTime();
        while (storm.requestsOfJobs() < (long) REQUESTS * lives.size()
                && System.nanoTime() - begin < LONGEST_STORM.toNanos()) {
            pause(Duration.ofMillis(100));
        }
    }

    private static void pause(Duration time) throws InterruptedException {
        Thread.sleep(time);
    }

    private List<String> awaitEnds(History history) {
        try {
            Awaitility.await()
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> lives.values().stream()
                            .allMatch(life -> left(life, history).isEmpty()));
            return List.of();
        } catch (ConditionTimeoutException e) {
            List<Version> versions = history.versions();
            return lives.values().stream()
                    .filter(life -> !left(life, history).isEmpty())
                    .map(life -> story(life, List.of(left(life, history)), versions))
                    .toList();
        }
    }

    /** What a job still lacks to have ended with nothing left over; empty where nothing. */
    private static String left(Life life, History history) {
        List<HasMetadata> there = history.present().stream()
                .filter(object -> History.job(object)
                        .filter(life.schedule().name()::equals)
                        .isPresent())
                .toList();
        Optional<RLVRJob> job = there.stream()
                .filter(RLVRJob.class::isInstance)
                .map(RLVRJob.class::cast)
                .findFirst();
        if (job.isEmpty() && !life.isDeleted()) {
            return "is not there";
        }
        Optional<State> state = job.map(RLVRJob::getStatus).map(RLVRJobStatus::state);
        if (job.isPresent() && (state.isEmpty() || !state.get().ended())) {
            return "does not end: " + job.map(RLVRJob::getStatus);
        }
        List<String> leaked = there.stream()
                .filter(object -> !mayStay(life.schedule(), object, job))
                .map(object -> object.getKind() + "/" + object.getMetadata().getName())
                .toList();
        return leaked.isEmpty()
                ? ""
                : "is %s and leaves %s".formatted(state.map(State::name).orElse("deleted"), leaked);
    }

    private static boolean mayStay(Schedule schedule, HasMetadata object, Optional<RLVRJob> job) {
        boolean claim = object instanceof PersistentVolumeClaim;
        if (job.isEmpty()) {
            return claim && !schedule.deletesClaim();
        }
        if (claim || object instanceof RLVRJob) {
            return true;
        }
        if (schedule.ttl().isPresent()) {
            return false;
        }
        boolean ofAnAttempt = Hands.attempt(object).isPresent();
        boolean ofServers = object.getMetadata().getName().startsWith(schedule.name() + "-server");
        if (!ofAnAttempt) {
            return !ofServers;
        }
        // a failed job's PodGroup goes with its attempt; a succeeded one's pods stay for their logs
        return job.get().getStatus().state() == State.Succeeded
                && Hands.attempt(object)
                        .equals(Optional.of(job.get().getStatus().attempt()));
    }

    /**
     * Nobody asks for anything while nothing changes, as soon as the last news have arrived: a watch of the storm may have been frozen or late, and
     * more so on a busy machine.
     */
    private static List<String> silence(Storm storm) throws InterruptedException {
        long begin = System.nanoTime();
        List<Request> asked;
        do {
            storm.forgetCalm();
            pause(SILENCE);
            asked = storm.requestsInCalm();
        } while (!asked.isEmpty() && System.nanoTime() - begin < LAST_NEWS.toNanos());
        return asked.isEmpty() ? List.of() : List.of("in %s in which nothing happened: %s".formatted(SILENCE, asked));
    }

    private List<String> broken(List<Version> versions) {
        List<String> stories = new ArrayList<>();
        for (Life life : lives.values()) {
            List<String> broken = Promises.broken(life, of(life, versions));
            if (!broken.isEmpty()) {
                stories.add(story(life, broken, versions));
            }
        }
        return stories;
    }

    private static List<Version> of(Life life, List<Version> versions) {
        return versions.stream()
                .filter(version -> History.job(version.object())
                        .filter(life.schedule().name()::equals)
                        .isPresent())
                .toList();
    }

    private String story(Life life, List<String> broken, List<Version> versions) {
        long begin = versions.getFirst().at();
        String events = Stream.concat(
                        life.notes().stream(), of(life, versions).stream().map(Batch::note))
                .sorted(Comparator.comparingLong(Life.Note::at))
                .map(note -> String.format(Locale.ROOT, "  %7.3f s  %s", (note.at() - begin) / 1e9, note.text()))
                .collect(Collectors.joining("\n"));
        return "%s of the batch from seed %d:%n%s%n%s%n%s"
                .formatted(life.schedule().name(), seed, String.join("\n", broken), life.schedule(), events);
    }

    private static Life.Note note(Version version) {
        String what = "[%d] %s".formatted(version.revision(), version);
        String more = switch (version.object()) {
            case RLVRJob job
            when job.getStatus() != null ->
                " %s, attempt %s, begun %s, %s, step %s"
                        .formatted(
                                job.getStatus().state(),
                                job.getStatus().attempt(),
                                job.getStatus().attemptStartTime(),
                                job.getStatus().restarts(),
                                Optional.ofNullable(job.getStatus().progress())
                                        .map(RLVRJobStatus.Progress::step)
                                        .orElse(0));
            case Pod pod -> " " + pod.getStatus().getPhase() + (pod.isMarkedForDeletion() ? ", going" : "");
            case Job job -> job.isMarkedForDeletion() ? " going" : "";
            default -> "";
        };
        return new Life.Note(version.at(), what + more);
    }

    private Map<String, Integer> ends(History history) {
        Map<String, Integer> ends = new LinkedHashMap<>();
        lives.values().stream().filter(Life::isDeleted).forEach(life -> ends.merge("deleted", 1, Integer::sum));
        history.present(RLVRJob.class)
                .forEach(job -> ends.merge(
                        Optional.ofNullable(job.getStatus())
                                .map(RLVRJobStatus::state)
                                .map(State::name)
                                .orElse("none"),
                        1,
                        Integer::sum));
        return ends;
    }

    private static int attempts(List<Version> versions) {
        return (int) versions.stream()
                .filter(version -> version.object() instanceof Job
                        && version.action() == io.fabric8.kubernetes.client.Watcher.Action.ADDED)
                .count();
    }
}
