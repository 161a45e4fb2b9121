package dev.rlvr.lifecycle;

import dev.rlvr.crds.Durations;
import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.Situation.Fact;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What follows from each decision: the next status, the actions, and when to look again. */
final class Plans {
    /** No change of this job tells that another one has got further. */
    private static final Duration SOURCES_AGAIN = Duration.ofSeconds(10);

    private final RLVRJob job;
    private final @Nullable RLVRJobStatus stored;
    private final LifecycleSpec spec;
    private final Observation observation;
    private final Instant now;
    private final Ledger ledger;
    private final Conditions conditions;
    private final Servers servers;

    Plans(RLVRJob job, Observation observation, Instant now, Ledger ledger) {
        this.job = job;
        this.stored = job.getStatus();
        this.spec = job.getSpec().lifecycle();
        this.observation = observation;
        this.now = now;
        this.ledger = ledger;
        this.servers = Servers.of(job, observation);
        this.conditions = new Conditions(stored, job.getMetadata().getGeneration(), now);
    }

    /** The resource is going: only stop. */
    Plan delete() {
        return new Plan(status(ledger, conditions.latched()), stop(a -> true), Optional.empty());
    }

    /** The end is latched: whatever exists may only become less. */
    Plan ended() {
        Optional<Deadline> ttl = Deadline.ttl(spec.ttlAfterFinished(), ledger);
        boolean expired = ttl.filter(d -> d.passed(now)).isPresent();
        List<Action> actions = new ArrayList<>(stop(a -> expired || !mayStay(a)));
        if (expired) {
            actions.add(new Action.RemoveResources());
        }
        return new Plan(
                status(ledger, conditions.latched()), actions, expired ? Optional.empty() : ttl.map(d -> d.left(now)));
    }

    /** Pods that succeeded are left for their logs until the time to live is over. */
    private boolean mayStay(AttemptObservation attempt) {
        return ledger.state() == State.Succeeded
                && attempt.number() == ledger.attempt()
                && new Pods(attempt.pods(), 0).finished();
    }

    Plan succeed(AttemptObservation attempt) {
        Situation s = Situation.ended(State.Succeeded, "Succeeded", "all steps are done");
        Ledger next = ledger.ran(attempt.createdAt()).complete(now);
        Optional<Duration> ttl = Deadline.ttl(spec.ttlAfterFinished(), next).map(d -> d.left(now));
        return new Plan(status(s, next), stop(a -> a.number() != ledger.attempt()), ttl);
    }

    Plan fail(String reason, String message) {
        Situation s = Situation.ended(State.Failed, reason, message);
        Ledger next = ledger.complete(now);
        Optional<Duration> ttl = Deadline.ttl(spec.ttlAfterFinished(), next).map(d -> d.left(now));
        return new Plan(status(s, next), stop(a -> true), ttl);
    }

    Plan failOverdue() {
        return fail(
                "DeadlineExceeded",
                "the job did not end within spec.lifecycle.activeDeadline %s; checkpoints stay, spec.checkpoint.resumeFrom of a new job can begin from them"
                        .formatted(spec.activeDeadline()));
    }

    /**
     * Retires the current attempt without cost, and waits until it is gone. An attempt that nobody has seen yet keeps its number: it may
     * exist already, and a second one must not.
     */
    Plan suspend() {
        List<AttemptObservation> left = observation.attempts();
        boolean exists = ledger.seen() || observation.attempt(ledger.attempt()).isPresent();
        Ledger next = exists ? ledger.retire() : ledger;
        if (left.isEmpty()) {
            Situation s = Situation.withoutAttempt(
                    State.Suspended,
                    "Suspended",
                    "the job is suspended; set spec.lifecycle.suspend to false to go on from the newest checkpoint");
            return new Plan(status(s, next), List.of(), Optional.empty());
        }
        Situation s = Situation.clearing(
                ledger.state(),
                Situation.SUSPENDING,
                "attempt %d is stopping; it gets %s to write a checkpoint"
                        .formatted(left.getLast().number(), spec.stopGracePeriod()),
                left.getLast().number());
        return new Plan(status(s, next), stop(a -> true), Optional.empty());
    }

    /** Retires the current attempt and charges its failure, or ends the job where the budget is used up. */
    Plan restart(Failure failure) {
        return Budgets.charge(ledger.restarts(), failure, spec.restarts(), now)
                .map(restarts -> {
                    Ledger next = ledger.restarts(restarts).retire();
                    Deadline backoff = Budgets.backoff(restarts);
                    String message = "attempt %d failed (%s): %s; attempt %d begins at %s, once attempt %d is gone"
                            .formatted(
                                    ledger.attempt(),
                                    failure.reason(),
                                    failure.message(),
                                    ledger.attempt() + 1,
                                    Timestamp.of(backoff.from().plus(backoff.limit())),
                                    ledger.attempt());
                    return retired(State.Restarting, failure.reason(), message, next);
                })
                .orElseGet(() -> fail(failure.reason(), lastFailure(failure)));
    }

    private String lastFailure(Failure failure) {
        String budget = failure.cause() == Cause.User ? "user" : "infrastructure";
        int allowed = failure.cause() == Cause.User
                ? spec.restarts().user()
                : spec.restarts().infrastructure();
        return failure.cause() == Cause.BadInput
                ? failure.message()
                : "%s (attempt %d; spec.lifecycle.restarts.%s: %d is used up)"
                        .formatted(failure.message(), ledger.attempt(), budget, allowed);
    }

    /** Retires an attempt whose quota was taken back, without cost; the next one queues again. */
    Plan requeue(String why) {
        String message = "attempt %d lost its quota: %s; attempt %d is queued once it is gone"
                .formatted(ledger.attempt(), why, ledger.attempt() + 1);
        return retired(State.Queued, Situation.EVICTED, message, ledger.retire());
    }

    private Plan retired(State state, String reason, String message, Ledger next) {
        Situation s = Situation.clearing(state, reason, message, ledger.attempt());
        Optional<Duration> backoff = observation.attempts().isEmpty()
                ? Optional.of(Budgets.backoff(next.restarts()).left(now))
                : Optional.empty();
        return new Plan(status(s, next), stop(a -> true), nearest(active(next), backoff));
    }

    Plan waitUntilGone() {
        int last = observation.attempts().getLast().number();
        State state = ledger.state() == State.Restarting ? State.Restarting : State.Queued;
        Situation fresh = Situation.clearing(
                state,
                "WaitingForRemoval",
                "attempt %d is stopping; attempt %d begins once it is gone".formatted(last, ledger.attempt() + 1),
                last);
        return new Plan(status(goingOnWith(fresh), ledger), stop(a -> true), active(ledger));
    }

    Plan waitForBackoff() {
        Deadline backoff = Budgets.backoff(ledger.restarts());
        int withoutCheckpoint = ledger.restarts().user() + ledger.restarts().infrastructure();
        String why = withoutCheckpoint < 2
                ? "when no more pods can come of attempt %d, which was removed from outside".formatted(ledger.attempt())
                : "after %d restarts without a checkpoint".formatted(withoutCheckpoint);
        Situation fresh = Situation.withoutAttempt(
                ledger.state() == State.Restarting ? State.Restarting : State.Queued,
                "BackOff",
                "attempt %d begins at %s, %s"
                        .formatted(
                                ledger.attempt() + 1,
                                Timestamp.of(backoff.from().plus(backoff.limit())),
                                why));
        return new Plan(
                status(goingOnWith(fresh), ledger), List.of(), nearest(active(ledger), Optional.of(backoff.left(now))));
    }

    /** Holds nothing while another job has not yet written what this one begins from. */
    Plan waitForSource(String why) {
        Situation s = Situation.withoutAttempt(State.Queued, Situation.WAITING_FOR_SOURCE, why);
        return new Plan(status(s, ledger), List.of(), nearest(active(ledger), Optional.of(SOURCES_AGAIN)));
    }

    /** What made the last attempt end is no longer to be seen when it is gone, so the stored words stay. */
    private Situation goingOnWith(Situation fresh) {
        Optional<Condition> ready = conditions.stored("Ready");
        boolean keep = ready.isPresent()
                && (ledger.state() == State.Restarting
                        || ready.get().getReason().equals(Situation.EVICTED));
        return keep
                ? new Situation(
                        fresh.state(), ready.get().getReason(), ready.get().getMessage(), fresh.quota(), fresh.pods())
                : fresh;
    }

    /** Creates the current attempt, for the first time or because a back end died before it could. */
    Plan begin(Ledger current) {
        Situation s = observation.attempts().isEmpty()
                ? Situation.withoutAttempt(
                        State.Queued, "Creating", "attempt %d is being created".formatted(current.attempt()))
                : Situation.clearing(
                        State.Queued,
                        "WaitingForRemoval",
                        "attempt %d begins once every other one is gone".formatted(current.attempt()),
                        observation.attempts().getLast().number());
        List<Action> actions = new ArrayList<>(stop(a -> true));
        if (actions.isEmpty() && observation.attempts().isEmpty()) {
            // Even where they were seen: an observation may lag, and nothing may start without them.
            actions.add(new Action.EnsureResources());
            actions.add(new Action.StartAttempt(current.attempt()));
        }
        return new Plan(status(s, current), actions, active(current));
    }

    /** Nothing has ended: reports how far the current attempt is. */
    Plan goOn(AttemptObservation attempt) {
        Pods pods = pods(attempt);
        boolean running = (pods.ready() && servers.ready()) || ledger.running();
        Fact fact = pods.ready() && !running ? servers.fact() : pods.fact();
        Ledger next = running ? ledger.ran(now) : ledger;
        Stream<Action> strays = stop(a -> a.number() != ledger.attempt()).stream();
        return new Plan(
                status(Situation.of(attempt, fact, running), next),
                Stream.concat(strays, ensureResources()).toList(),
                nearest(active(next), attemptDeadline(attempt, pods, running).map(d -> d.left(now))));
    }

    private Optional<Deadline> attemptDeadline(AttemptObservation attempt, Pods pods, boolean running) {
        if (running) {
            return Optional.of(failures().stallDeadline(pods));
        }
        return attempt.admission() instanceof Admission.Admitted
                ? Optional.of(failures().startDeadline(attempt))
                : Optional.empty();
    }

    Failures failures() {
        int replicas = job.getSpec().trainer().replicas();
        return new Failures(
                spec, replicas, servers, ledger, since("QuotaReserved"), since("Running"), observation.progress(), now);
    }

    /** Since when a condition has been True; now where it is not. */
    private Instant since(String type) {
        return conditions
                .stored(type)
                .filter(c -> "True".equals(c.getStatus()))
                .flatMap(c -> Timestamp.parse(c.getLastTransitionTime()))
                .orElse(now);
    }

    private Pods pods(AttemptObservation attempt) {
        return new Pods(attempt.pods(), job.getSpec().trainer().replicas());
    }

    private List<Action> stop(Predicate<AttemptObservation> which) {
        Duration grace = Durations.parse(spec.stopGracePeriod());
        return observation.attempts().stream()
                .filter(a -> !a.stopping() && which.test(a))
                .<Action>map(a -> new Action.StopAttempt(a.number(), grace))
                .toList();
    }

    private Stream<Action> ensureResources() {
        return observation.resourcesReady() ? Stream.empty() : Stream.of(new Action.EnsureResources());
    }

    private Optional<Duration> active(Ledger current) {
        return Deadline.active(spec.activeDeadline(), current).map(d -> d.left(now));
    }

    private static Optional<Duration> nearest(Optional<Duration> a, Optional<Duration> b) {
        return Stream.concat(a.stream(), b.stream()).min(Comparator.naturalOrder());
    }

    private RLVRJobStatus status(Situation s, Ledger next) {
        boolean checkpointed = observation.checkpoint().isPresent() || (stored != null && stored.checkpoint() != null);
        Ledger inState = next.state(s.state());
        return status(inState, conditions.of(s, inState, checkpointed));
    }

    /** The trainer's part is passed through: two writers share the status, each its own fields. */
    private RLVRJobStatus status(Ledger next, List<Condition> nextConditions) {
        return new RLVRJobStatus(
                job.getMetadata().getGeneration(),
                next.state(),
                nextConditions,
                next.attempt() == 0 ? null : next.attempt(),
                next.restarts(),
                stored == null ? null : stored.progress(),
                stored == null ? null : stored.checkpoint(),
                stored == null ? null : stored.evaluation(),
                next.begun().map(Timestamp::of).orElse(null),
                next.started().map(Timestamp::of).orElse(null),
                next.completed().map(Timestamp::of).orElse(null));
    }
}
