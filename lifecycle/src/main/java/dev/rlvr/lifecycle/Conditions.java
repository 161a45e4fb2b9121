package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.Situation.Fact;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * All conditions of a job, built at once. {@code Ready}, {@code Reconciling} and {@code Stalled} read as kstatus has it: Ready is True
 * where the job does what was asked (it runs or has succeeded), Reconciling is True while it gets there by itself, Stalled is True where
 * it never will. A time changes only together with the condition's True or False.
 */
final class Conditions {
    /** Longer texts (a trainer's last line can be anything) are cut: a status is not a log. */
    private static final int LONGEST_MESSAGE = 1000;

    private final List<Condition> stored;
    private final @Nullable Long generation;
    private final Instant now;

    Conditions(@Nullable RLVRJobStatus status, @Nullable Long generation, Instant now) {
        this.stored = status == null || status.conditions() == null ? List.of() : status.conditions();
        this.generation = generation;
        this.now = now;
    }

    List<Condition> of(Situation s, Ledger ledger, boolean checkpointed) {
        State state = s.state();
        boolean settled = state == State.Running && s.pods().holds();
        boolean waits = !settled && !state.ended() && state != State.Suspended;
        Fact why = new Fact(true, s.reason(), s.message());
        return List.of(
                condition("Ready", settled || state == State.Succeeded, why),
                condition("Reconciling", waits, waits ? why : settledFact(state)),
                condition("Stalled", state == State.Failed, state == State.Failed ? why : notStalled()),
                condition("QuotaReserved", s.quota()),
                condition("PodsReady", s.pods()),
                condition("Running", settled, settled ? why : notRunning(s)),
                condition("Suspended", state == State.Suspended, suspended(s)),
                condition("Checkpointed", checkpoint(checkpointed)),
                condition("Complete", state == State.Succeeded, state == State.Succeeded ? why : notComplete(state)),
                condition("Failed", state == State.Failed, state == State.Failed ? why : notFailed(ledger)));
    }

    /** The stored conditions of an ended job, answering to the newest spec and otherwise unchanged. */
    List<Condition> latched() {
        return stored.stream()
                .map(c -> new ConditionBuilder(c)
                        .withObservedGeneration(generation)
                        .build())
                .toList();
    }

    Optional<Condition> stored(String type) {
        return stored.stream().filter(c -> type.equals(c.getType())).findFirst();
    }

    private Condition condition(String type, Fact fact) {
        return condition(type, fact.holds(), fact);
    }

    private Condition condition(String type, boolean holds, Fact why) {
        String status = holds ? "True" : "False";
        String since = stored(type)
                .filter(c -> status.equals(c.getStatus()))
                .map(Condition::getLastTransitionTime)
                .orElse(Timestamp.of(now));
        return new ConditionBuilder()
                .withType(type)
                .withStatus(status)
                .withReason(why.reason())
                .withMessage(oneLine(why.message()))
                .withLastTransitionTime(since)
                .withObservedGeneration(generation)
                .build();
    }

    private static String oneLine(String message) {
        String line = message.lines().map(String::strip).collect(Collectors.joining(" "));
        return line.length() <= LONGEST_MESSAGE ? line : line.substring(0, LONGEST_MESSAGE - 3) + "...";
    }

    private static Fact settledFact(State state) {
        return new Fact(false, state.name(), "nothing is under way");
    }

    private static Fact notStalled() {
        return new Fact(false, "NotStalled", "nothing keeps the job from going on");
    }

    private static Fact notRunning(Situation s) {
        return new Fact(false, s.reason(), "the pods do not train");
    }

    private static Fact suspended(Situation s) {
        if (s.state() == State.Suspended) {
            return new Fact(true, s.reason(), s.message());
        }
        return s.reason().equals(Situation.SUSPENDING)
                ? new Fact(false, s.reason(), s.message())
                : new Fact(false, "NotSuspended", "spec.lifecycle.suspend is false, or the job has ended");
    }

    private static Fact checkpoint(boolean exists) {
        return exists
                ? new Fact(true, "Saved", "a restart goes on from the newest complete checkpoint, status.checkpoint")
                : new Fact(false, "NoneYet", "there is no complete checkpoint yet; a restart begins from step 0");
    }

    private static Fact notComplete(State state) {
        return state == State.Failed
                ? new Fact(false, "Failed", "the job ended before all steps were done")
                : new Fact(false, "NotEnded", "the job has not ended yet");
    }

    private static Fact notFailed(Ledger ledger) {
        return new Fact(
                false,
                "NotFailed",
                ledger.restarts().total() == 0
                        ? "no attempt has failed"
                        : "attempts have failed and were restarted; status.restarts counts them");
    }
}
