package dev.rlvr.lifecycle;

import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.Release;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The state machine of an {@link RLVRJob}: the order in which it decides. {@link Plans} says what follows from each decision.
 *
 * <p>An attempt is <em>current</em> from the status write that announces it (attempt number and attemptStartTime) until the status write
 * that retires it (attemptStartTime absent), by which its end is accounted for exactly once. What exists without being current is
 * stopped, and a new attempt begins only when nothing exists any more.
 */
public final class Lifecycle {
    private final RLVRJob job;
    private final LifecycleSpec spec;
    private final Observation observation;
    private final Instant now;
    private final Ledger ledger;
    private final Plans plans;
    private final Function<RLVRJobSpec, List<String>> unsupported;

    private Lifecycle(
            RLVRJob job, Observation observation, Instant now, Function<RLVRJobSpec, List<String>> unsupported) {
        this.unsupported = unsupported;
        this.job = job;
        this.spec = job.getSpec().lifecycle();
        this.observation = observation;
        this.now = now;
        this.ledger = Budgets.giveBack(Ledger.of(job), observation.checkpoint());
        this.plans = new Plans(job, observation, now, ledger);
    }

    /**
     * Decides what happens next. Pure: equal arguments give equal plans, and where nothing has changed the plan's status equals the
     * stored one.
     *
     * @param job the job with the spec's defaults applied and its newest stored status
     * @param observation what exists right now
     * @param now the time
     */
    public static Plan decide(RLVRJob job, Observation observation, Instant now) {
        return decide(job, observation, now, Release::unsupported);
    }

    /** @param unsupported what a spec asks for that the trainer cannot do, one message each */
    static Plan decide(
            RLVRJob job, Observation observation, Instant now, Function<RLVRJobSpec, List<String>> unsupported) {
        Plan plan = new Lifecycle(job, observation, now, unsupported).decide();
        return Servers.of(job, observation).with(plan, job, observation);
    }

    private Plan decide() {
        if (job.getMetadata().getDeletionTimestamp() != null) {
            return plans.delete();
        }
        if (ledger.state().ended()) {
            return plans.ended();
        }
        if (ledger.attempt() == 0) {
            Optional<String> unsupported = unsupported();
            if (unsupported.isPresent()) {
                return plans.fail("UnsupportedSpec", unsupported.get());
            }
        }
        return ledger.begun().isPresent() ? withCurrentAttempt() : betweenAttempts();
    }

    private Plan withCurrentAttempt() {
        Optional<AttemptObservation> attempt = observation.attempt(ledger.attempt());
        if (attempt.filter(this::succeeded).isPresent()) {
            return plans.succeed(attempt.get());
        }
        if (spec.suspend()) {
            return plans.suspend();
        }
        if (overdue()) {
            return plans.failOverdue();
        }
        if (attempt.isEmpty()) {
            return ledger.seen() ? plans.restart(Failures.vanished()) : plans.begin(ledger);
        }
        Optional<String> evicted = evicted(attempt.get());
        if (evicted.isPresent()) {
            return plans.requeue(evicted.get());
        }
        return plans.failures().of(attempt.get()).map(plans::restart).orElseGet(() -> plans.goOn(attempt.get()));
    }

    private Plan betweenAttempts() {
        if (spec.suspend()) {
            return plans.suspend();
        }
        if (overdue()) {
            return plans.failOverdue();
        }
        if (!observation.attempts().isEmpty()) {
            return plans.waitUntilGone();
        }
        if (!Budgets.backoff(ledger.restarts()).passed(now)) {
            return plans.waitForBackoff();
        }
        if (ledger.attempt() == 0) {
            Optional<String> missing = new JobSources(job.getSpec(), observation.jobs()).missing();
            if (missing.isPresent()) {
                return plans.waitForSource(missing.get());
            }
        }
        return unsupported()
                .map(why -> plans.fail("UnsupportedSpec", why))
                .orElseGet(() -> plans.begin(ledger.begin(now)));
    }

    private boolean succeeded(AttemptObservation attempt) {
        return attempt.outcome().orElse(null) instanceof Outcome.Succeeded
                || new Pods(attempt.pods(), job.getSpec().trainer().replicas()).succeeded();
    }

    /** A queue that lets an attempt wait after its pods were seen has taken the quota back, too. */
    private Optional<String> evicted(AttemptObservation attempt) {
        return switch (attempt.admission()) {
            case Admission.Evicted(String message) -> Optional.of(message);
            case Admission.WaitingForQuota(String message) -> ledger.seen() ? Optional.of(message) : Optional.empty();
            case Admission.Admitted() -> Optional.empty();
        };
    }

    private boolean overdue() {
        return Deadline.active(spec.activeDeadline(), ledger)
                .filter(d -> d.passed(now))
                .isPresent();
    }

    private Optional<String> unsupported() {
        List<String> why = unsupported.apply(job.getSpec());
        return why.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", why));
    }
}
