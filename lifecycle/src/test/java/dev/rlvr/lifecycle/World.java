package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.PodObservation.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** A cluster in memory: attempts of two pods that queue, start, train, save checkpoints, stop slowly, and go wrong when told to. */
final class World {
    static final int STEPS = 12;

    /** A Job controller has heard by then that a Job was removed; until then it may make its pods all the same. */
    private static final Duration LAG = Duration.ofSeconds(9);

    /** What can go wrong with an attempt. */
    enum Fault {
        Crash,
        BadInput,
        OutOfMemory,
        NodeLost,
        QueueEviction,
        Vanish,
        RemovalFromOutside,
        Hang,
        Unschedulable,
        ResourcesRemoved,
        ServersRemoved
    }

    private static final class Attempt {
        final int number;
        final Instant createdAt;
        Admission admission = new Admission.WaitingForQuota("the queue is full");
        Optional<Instant> goneAt = Optional.empty();
        final List<Phase> pods = new ArrayList<>();
        Optional<Outcome> outcome = Optional.empty();
        int step;
        boolean hangs;
        boolean unschedulable;

        Attempt(int number, Instant createdAt, int step) {
            this.number = number;
            this.createdAt = createdAt;
            this.step = step;
        }

        boolean trains() {
            return pods.size() == 2 && pods.stream().allMatch(p -> p instanceof Phase.Running);
        }

        AttemptObservation observe() {
            List<PodObservation> observed = IntStream.range(0, pods.size())
                    .mapToObj(i -> new PodObservation(i, pods.get(i)))
                    .toList();
            return new AttemptObservation(number, createdAt, admission, goneAt.isPresent(), observed, outcome);
        }
    }

    private final RandomGenerator random;
    private final SortedMap<Integer, Attempt> attempts = new TreeMap<>();
    private boolean resources;
    private Optional<Boolean> servers = Optional.empty();
    private Optional<Progress> progress = Optional.empty();
    private Optional<Checkpoint> checkpoint = Optional.empty();
    private Optional<Attempt> vanished = Optional.empty();
    private Instant vanishedAt = Instant.MIN;
    private int lastNumber;
    Instant now = Scene.START;

    World(RandomGenerator random) {
        this.random = random;
    }

    Observation observe() {
        return new Observation(
                resources,
                attempts.values().stream().map(Attempt::observe).toList(),
                servers.map(ready -> new ServersObservation(false, ready ? 1 : 0, Optional.empty())),
                List.of(),
                progress,
                checkpoint);
    }

    boolean empty() {
        return attempts.isEmpty();
    }

    boolean hasServers() {
        return servers.isPresent();
    }

    boolean hasResources() {
        return resources;
    }

    /** Whether some pod still runs or may come to run. */
    boolean active() {
        return attempts.values().stream()
                .anyMatch(a -> a.outcome.isEmpty() || a.pods.stream().anyMatch(p -> p instanceof Phase.Running));
    }

    boolean trainedToTheEnd() {
        return checkpoint.filter(c -> c.step() == STEPS).isPresent();
    }

    void perform(Action action) {
        switch (action) {
            case Action.EnsureResources() -> resources = true;
            case Action.StartAttempt(int number) -> start(number);
            case Action.StopAttempt(int number, Duration _) ->
                Optional.ofNullable(attempts.get(number)).ifPresent(this::stop);
            case Action.StartServers() -> servers = servers.or(() -> Optional.of(false));
            case Action.StopServers() -> servers = Optional.empty();
            case Action.RemoveResources() -> resources = false;
        }
    }

    private void start(int number) {
        if (attempts.containsKey(number)) {
            return;
        }
        require(attempts.isEmpty(), "two attempts at once: " + attempts.keySet() + " and " + number);
        require(number >= lastNumber, "attempt " + number + " after attempt " + lastNumber);
        require(resources, "attempt " + number + " without what attempts share");
        lastNumber = number;
        int from = checkpoint.map(Checkpoint::step).orElse(0);
        attempts.put(number, new Attempt(number, now, from));
    }

    /** Between what a back end sees and what it does, a controller that lags makes a pod of what is gone, until that is collected. */
    void straggle() {
        Optional<Attempt> late =
                vanished.filter(a -> attempts.isEmpty() && now.isBefore(vanishedAt.plus(LAG)) && random.nextBoolean());
        late.ifPresent(a -> {
            Attempt stray = new Attempt(a.number, now, a.step);
            stray.admission = a.admission;
            stray.pods.add(new Phase.Waiting("Creating", "the container is created"));
            stop(stray);
            attempts.put(a.number, stray);
            catchUp();
        });
    }

    /** Every controller has heard of what was removed. */
    void catchUp() {
        vanished = Optional.empty();
    }

    private void stop(Attempt attempt) {
        if (attempt.goneAt.isEmpty()) {
            attempt.goneAt = Optional.of(now.plusSeconds(random.nextInt(200)));
        }
    }

    /** Time goes by, and everything moves on a little. */
    void advance(Duration by) {
        now = now.plus(by);
        servers = servers.map(ready -> ready || random.nextInt(3) == 0);
        List.copyOf(attempts.values()).forEach(this::advance);
    }

    private void advance(Attempt a) {
        if (a.goneAt.isPresent()) {
            terminate(a);
            if (!now.isBefore(a.goneAt.get())) {
                attempts.remove(a.number);
            }
            return;
        }
        switch (a.admission) {
            case Admission.WaitingForQuota _ -> {
                if (random.nextInt(3) == 0) {
                    a.admission = new Admission.Admitted();
                }
            }
            case Admission.Admitted _ -> run(a);
            case Admission.Evicted _ -> {}
        }
    }

    private void run(Attempt a) {
        if (a.pods.size() < 2) {
            a.pods.add(new Phase.Waiting("Unschedulable", "no node has 8 GPUs"));
            return;
        }
        if (a.trains()) {
            train(a);
            return;
        }
        for (int i = 0; i < 2; i++) {
            if (a.pods.get(i) instanceof Phase.Waiting && !a.unschedulable && random.nextBoolean()) {
                a.pods.set(i, new Phase.Running(now));
            } else if (a.step == STEPS && a.pods.get(i) instanceof Phase.Running) {
                a.pods.set(i, new Phase.Succeeded());
            } else if (hasFailedPod(a) && a.pods.get(i) instanceof Phase.Running && random.nextBoolean()) {
                a.pods.set(i, Scene.exit(75, "lost a peer"));
            }
        }
        if (a.pods.stream().allMatch(p -> p instanceof Phase.Succeeded)) {
            a.outcome = Optional.of(new Outcome.Succeeded());
        }
    }

    private static boolean hasFailedPod(Attempt a) {
        return a.pods.stream().anyMatch(p -> p instanceof Phase.Failed);
    }

    private void train(Attempt a) {
        if (a.hangs) {
            return;
        }
        if (a.step == STEPS) {
            a.pods.set(random.nextInt(2), new Phase.Succeeded());
            return;
        }
        a.step++;
        progress = Optional.of(
                new Progress(a.step, STEPS, null, null, null, null, null, null, null, null, Timestamp.of(now)));
        if (a.step == STEPS || random.nextInt(4) == 0) {
            save(a);
        }
    }

    private void save(Attempt a) {
        checkpoint = Optional.of(new Checkpoint(a.step, "checkpoints/step-%06d".formatted(a.step), Timestamp.of(now)));
    }

    /** SIGTERM: some trainers manage to write a checkpoint. */
    private void terminate(Attempt a) {
        if (a.trains() && !a.hangs && random.nextBoolean()) {
            save(a);
        }
        a.pods.replaceAll(p -> p instanceof Phase.Running ? Scene.exit(random.nextBoolean() ? 75 : 143, "stopped") : p);
    }

    /** One fault hits the newest attempt, if it can. */
    void strike(Fault fault) {
        if (fault == Fault.ResourcesRemoved) {
            resources = false;
        } else if (fault == Fault.ServersRemoved) {
            servers = Optional.empty();
        } else if (!attempts.isEmpty()) {
            strike(attempts.get(attempts.lastKey()), fault);
        }
    }

    private void strike(Attempt a, Fault fault) {
        switch (fault) {
            case Crash -> fail(a, Failure.ofExitCode(1, "loss is NaN"));
            case BadInput -> fail(a, Failure.ofExitCode(2, "data.source: no such file"));
            case OutOfMemory -> fail(a, new Failure(Cause.Infrastructure, "OutOfMemory", "the node ran out of memory"));
            case NodeLost -> fail(a, new Failure(Cause.Infrastructure, "NodeLost", "node gpu-7 went away"));
            case QueueEviction -> {
                if (a.outcome.isEmpty()) {
                    a.admission = new Admission.Evicted("preempted by a job of team blue");
                    terminate(a);
                }
            }
            case Vanish -> vanish(a);
            case RemovalFromOutside -> stop(a);
            case Hang -> a.hangs = true;
            case Unschedulable -> a.unschedulable = true;
            case ResourcesRemoved, ServersRemoved -> throw new IllegalArgumentException("hits no attempt");
        }
    }

    private void vanish(Attempt a) {
        attempts.remove(a.number);
        boolean mayGetPods = a.admission instanceof Admission.Admitted && a.goneAt.isEmpty() && !hasFailedPod(a);
        vanished = mayGetPods && a.outcome.isEmpty() ? Optional.of(a) : Optional.empty();
        vanishedAt = now;
    }

    private void fail(Attempt a, Failure failure) {
        int pod = random.nextInt(2);
        if (pod < a.pods.size() && a.pods.get(pod) instanceof Phase.Running) {
            a.pods.set(pod, new Phase.Failed(failure));
            if (random.nextInt(3) == 0) {
                a.outcome = Optional.of(new Outcome.Failed(failure));
            }
        }
    }

    static void require(boolean holds, String violation) {
        if (!holds) {
            throw new AssertionError(violation);
        }
    }
}
