package dev.rlvr.lifecycle;

import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import dev.rlvr.lifecycle.AttemptObservation.Admission;
import dev.rlvr.lifecycle.AttemptObservation.Outcome;
import dev.rlvr.lifecycle.Failure.Cause;
import dev.rlvr.lifecycle.Situation.Fact;
import java.time.Instant;
import java.util.Optional;

/**
 * Whether the current attempt has failed, and why. One failed pod is enough: the others cannot go on without it. A hang counts as a
 * failure of the infrastructure, as does everything else whose cause no exit code tells: most hangs are dead links and dead devices,
 * and the smaller budget of the user must not be spent on them.
 *
 * @param quotaSince since when the attempt has its quota
 * @param trainsSince since when it has been seen to have all that it needs
 */
record Failures(
        LifecycleSpec spec,
        int replicas,
        Servers servers,
        Ledger ledger,
        Instant quotaSince,
        Instant trainsSince,
        Optional<Progress> progress,
        Instant now) {

    /** Reason of an attempt that somebody else has removed. */
    static final String REMOVED = "Removed";

    /** Its pods were seen, and then the whole attempt was gone. */
    static Failure vanished() {
        return infrastructure(REMOVED, "it was removed from outside; let only RLVR remove what belongs to the job");
    }

    Optional<Failure> of(AttemptObservation attempt) {
        Pods pods = new Pods(attempt.pods(), replicas);
        return pods.failure()
                .or(() -> outcome(attempt))
                .or(() -> attempt.stopping() ? Optional.of(vanished()) : Optional.empty())
                .or(() -> lost(pods))
                .or(() -> lateStart(attempt, pods))
                .or(() -> hang(pods));
    }

    private static Optional<Failure> outcome(AttemptObservation attempt) {
        return attempt.outcome().flatMap(outcome -> switch (outcome) {
            case Outcome.Failed(Failure failure) -> Optional.of(failure);
            case Outcome.Succeeded() -> Optional.empty();
        });
    }

    private Optional<Failure> lost(Pods pods) {
        return ledger.running() && pods.lost()
                ? Optional.of(infrastructure(
                        "PodLost",
                        "a pod that ran is gone or has to start again: "
                                + pods.fact().message()))
                : Optional.empty();
    }

    private Optional<Failure> lateStart(AttemptObservation attempt, Pods pods) {
        boolean waits = attempt.admission() instanceof Admission.Admitted
                && !ledger.running()
                && !(pods.ready() && servers.ready());
        Fact fact = pods.ready() ? servers.fact() : pods.fact();
        return waits && startDeadline(attempt).passed(now)
                ? Optional.of(infrastructure(
                        "StartDeadlineExceeded",
                        "not all pods ran within spec.lifecycle.startDeadline %s: %s: %s"
                                .formatted(spec.startDeadline(), fact.reason(), fact.message())))
                : Optional.empty();
    }

    private Optional<Failure> hang(Pods pods) {
        boolean running = (pods.ready() && servers.ready()) || ledger.running();
        return running && stallDeadline(pods).passed(now)
                ? Optional.of(infrastructure(
                        "Stalled",
                        "no progress within spec.lifecycle.stallDeadline %s; where single steps take longer, raise it"
                                .formatted(spec.stallDeadline())))
                : Optional.empty();
    }

    Deadline startDeadline(AttemptObservation attempt) {
        return Deadline.start(spec.startDeadline(), attempt, quotaSince);
    }

    /** Counts from the begin of the attempt where no pod says since when it runs; who has waited for servers has not hung. */
    Deadline stallDeadline(Pods pods) {
        Instant ran = pods.runningSince().or(ledger::begun).orElse(now);
        Instant since = servers.spec().isPresent() && trainsSince.isAfter(ran) ? trainsSince : ran;
        return Deadline.stall(spec.stallDeadline(), since, progress);
    }

    private static Failure infrastructure(String reason, String message) {
        return new Failure(Cause.Infrastructure, reason, message);
    }
}
