package dev.rlvr.lifecycle;

import static dev.rlvr.lifecycle.World.require;

import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.World.Fault;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One job, one back end and one schedule of faults, all from one seed. The back end looks only when something changed or when it was
 * told to, dies between any two writes, and in the storm often sees the world as it was a while ago.
 */
final class Simulation {
    private static final int STORMY_ROUNDS = 60;
    private static final int CALM_ROUNDS = 3000;

    private final RandomGenerator random;
    private final List<Fault> faults;
    private final World world;
    private final RLVRJob job;
    private final List<Observation> history = new ArrayList<>();
    private final List<Supplier<String>> schedule = new ArrayList<>();
    private int seen;
    private boolean calm;
    private boolean newProcess = true;
    private boolean edited;
    private Optional<Instant> lookAt = Optional.empty();
    int decisions;
    int writes;

    Simulation(long seed, Set<Fault> faults, RLVRJob job) {
        this.random = new SplittableRandom(seed);
        this.faults = List.copyOf(faults);
        this.world = new World(random);
        this.job = job;
    }

    /** Storm, calm until the end, and a while after it; the back end dies in all of them, if seldom in the calm. */
    void run() {
        try {
            record();
            for (int round = 0; round < STORMY_ROUNDS; round++) {
                strike();
                round();
            }
            calm = true;
            suspend(false);
            for (int round = 0; !ended(); round++) {
                require(round < CALM_ROUNDS, "the job does not end");
                round();
            }
            checkEnd();
            afterTheEnd();
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "\n" + story(), e);
        }
    }

    RLVRJobStatus status() {
        return job.getStatus();
    }

    private boolean ended() {
        return job.getStatus() != null && job.getStatus().state().ended();
    }

    private void strike() {
        if (random.nextInt(4) == 0 && !faults.isEmpty()) {
            Fault fault = faults.get(random.nextInt(faults.size()));
            note(fault.name());
            boolean current = hasCurrentAttempt();
            world.strike(fault);
            if (fault == Fault.Vanish && !current) {
                world.catchUp();
            }
            record();
        }
        if (random.nextInt(12) == 0) {
            suspend(random.nextBoolean());
        }
    }

    private void round() {
        world.advance(Duration.ofMillis(1000 + random.nextInt(40_000)));
        record();
        if (random.nextInt(3) == 0) {
            trainerWrites();
        }
        boolean due = lookAt.filter(at -> !at.isAfter(world.now)).isPresent();
        if (newProcess || due || edited || seen < history.size() - 1) {
            reconcile();
        }
    }

    /** What a back end does: observe, decide, write, act; a storm kills it anywhere in between. */
    private void reconcile() {
        seen = newProcess || calm || random.nextInt(3) > 0 ? history.size() - 1 : random.nextInt(seen, history.size());
        newProcess = false;
        Observation observation = history.get(seen);
        edited = false;
        Plan plan = decide(job.getStatus(), observation);
        if (announces(plan)) {
            // no back end begins an attempt on what it remembers
            seen = history.size() - 1;
            observation = history.get(seen);
            plan = decide(job.getStatus(), observation);
        }
        lookAt = plan.lookAgainAfter().map(world.now::plus);
        check(plan, observation);
        if (!plan.status().equals(job.getStatus())) {
            job.setStatus(plan.status());
            writes++;
        }
        note(plan, observation);
        world.straggle();
        record();
        for (Action action : plan.actions()) {
            if (dies()) {
                return;
            }
            require(!(action instanceof Action.StartAttempt) || !ended(), "an attempt starts after the end");
            world.perform(action);
            record();
        }
        checkIdle(observation);
    }

    private boolean announces(Plan plan) {
        return job.getStatus() != null
                && !Objects.equals(plan.status().attempt(), job.getStatus().attempt());
    }

    private boolean dies() {
        newProcess = random.nextInt(calm ? 20 : 10) == 0;
        if (newProcess) {
            note("the back end dies");
        }
        return newProcess;
    }

    private Plan decide(@Nullable RLVRJobStatus status, Observation observation) {
        decisions++;
        RLVRJob stored = new RLVRJob();
        stored.setMetadata(job.getMetadata());
        stored.setSpec(job.getSpec());
        stored.setStatus(status);
        return Lifecycle.decide(stored, observation, world.now, _ -> List.of());
    }

    private void check(Plan plan, Observation observation) {
        RLVRJobStatus next = plan.status();
        RLVRJobStatus last = job.getStatus();
        RLVRJobStatus.Restarts r = next.restarts();
        require(r.total() >= r.user() + r.infrastructure(), "more restarts used than made: " + r);
        LifecycleSpec.Restarts budget = job.getSpec().lifecycle().restarts();
        require(r.user() <= budget.user() && r.infrastructure() <= budget.infrastructure(), "beyond its budget: " + r);
        require(
                observation.checkpoint().isEmpty() || ended() || isTrue(next, "Checkpointed"),
                "a checkpoint was overlooked");
        if (last == null) {
            return;
        }
        require(
                Objects.equals(next.progress(), last.progress())
                        && Objects.equals(next.checkpoint(), last.checkpoint())
                        && Objects.equals(next.evaluation(), last.evaluation()),
                "the trainer's part of the status was changed");
        require(last.restarts() == null || r.total() >= last.restarts().total(), "restarts were given back: " + r);
        if (ended()) {
            require(next.state() == last.state(), "the end is not final");
            require(Objects.equals(next.completionTime(), last.completionTime()), "the end moved");
        }
    }

    private static boolean isTrue(RLVRJobStatus status, String condition) {
        return status.conditions().stream()
                .anyMatch(c -> c.getType().equals(condition) && c.getStatus().equals("True"));
    }

    /** Where nothing changes, decisions soon stop changing the status. */
    private void checkIdle(Observation observation) {
        RLVRJobStatus status = job.getStatus();
        for (int i = 0; i < 4; i++) {
            RLVRJobStatus next = decide(status, observation).status();
            if (next.equals(status)) {
                return;
            }
            status = next;
        }
        throw new AssertionError("an idle job's status keeps changing: " + status);
    }

    private void checkEnd() {
        RLVRJobStatus end = job.getStatus();
        require(end.completionTime() != null, "an end without a time");
        if (end.state() == State.Succeeded) {
            require(world.trainedToTheEnd(), "succeeded before all steps were done");
            return;
        }
        LifecycleSpec.Restarts budget = job.getSpec().lifecycle().restarts();
        String reason = end.conditions().getFirst().getReason();
        require(
                reason.equals("BadInput")
                        || reason.equals("DeadlineExceeded")
                        || end.restarts().user() == budget.user()
                        || end.restarts().infrastructure() == budget.infrastructure(),
                "failed for " + reason + " with budget left: " + end.restarts());
    }

    private void afterTheEnd() {
        for (int round = 0; round < 60; round++) {
            if (random.nextInt(10) == 0) {
                suspend(random.nextBoolean());
            }
            round();
        }
        require(!world.active(), "pods still run after the end");
        require(!world.hasServers(), "rollout servers still run after the end");
        require(job.getStatus().state() != State.Failed || world.empty(), "a failed job left an attempt");
        if (job.getSpec().lifecycle().ttlAfterFinished() != null) {
            require(world.empty() && !world.hasResources(), "the time to live is over and something is left");
        }
    }

    private void suspend(boolean suspend) {
        if (job.getSpec().lifecycle().suspend() != suspend) {
            note("suspend: " + suspend);
            if (hasCurrentAttempt()) {
                world.catchUp();
            }
            Scene.suspend(job, suspend);
            edited = true;
        }
    }

    /** What somebody removes when it is over already, or is to be suspended, looks as if its back end had stopped it: nothing waits for it. */
    private boolean hasCurrentAttempt() {
        return job.getStatus() != null
                && job.getStatus().attemptStartTime() != null
                && !job.getSpec().lifecycle().suspend();
    }

    private void trainerWrites() {
        if (job.getStatus() != null) {
            job.setStatus(Scene.withTrainersPart(
                    job.getStatus(), world.observe().progress(), world.observe().checkpoint()));
        }
    }

    private void record() {
        Observation observation = world.observe();
        if (history.isEmpty() || !history.getLast().equals(observation)) {
            history.add(observation);
        }
    }

    /** Put in words only if somebody has to read it. */
    private void note(Plan plan, Observation observation) {
        Instant at = world.now;
        schedule.add(() -> "%s %s attempt %s, %s of %s"
                .formatted(at, plan.status().state(), plan.status().attempt(), plan.actions(), observation.attempts()));
    }

    private void note(String event) {
        Instant at = world.now;
        schedule.add(() -> at + " " + event);
    }

    private String story() {
        return schedule.stream().map(Supplier::get).collect(Collectors.joining("\n"));
    }
}
