package dev.rlvr.lifecycle;

import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.crds.RLVRJobStatus.State;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Something that happened to a job between one stored status and the next, for people who read events.
 *
 * @param kind what
 * @param message the same in a sentence
 * @param attempt number of the attempt that it happened to; 0 before the first
 */
public record Transition(Kind kind, String message, int attempt) {
    /** What can happen. */
    public enum Kind {
        /** {@code suspend} is false again. */
        Resumed,
        /** An attempt failed, and another one follows. */
        Restarting,
        /** The queue took the quota back. */
        Evicted,
        /** An attempt begins. */
        Started,
        /** The job waits for what another has to write. */
        WaitingForSource,
        /** An attempt waits for its queue. */
        WaitingForQuota,
        /** The queue lets a waiting attempt run. */
        QuotaReserved,
        /** All pods run. */
        Running,
        /** The trainers were asked to stop for a suspension. */
        Suspending,
        /** Nothing of a suspended job is left running. */
        Suspended,
        /** All steps are done. */
        Succeeded,
        /** The job ended otherwise. */
        Failed;

        /** Whether a person may have to look after it. */
        public boolean warns() {
            return this == Restarting || this == Failed;
        }
    }

    /**
     * What happened between two statuses, in the order in which it did. A change of words alone is none, nor is anything after the end.
     *
     * @param before the stored status; empty for a new job
     * @param after the next one
     */
    public static List<Transition> between(Optional<RLVRJobStatus> before, RLVRJobStatus after) {
        return new Change(before, after).transitions();
    }

    private record Change(Optional<RLVRJobStatus> before, RLVRJobStatus after) {
        List<Transition> transitions() {
            List<Transition> happened = new ArrayList<>();
            for (Kind kind : Kind.values()) {
                if (!was().filter(State::ended).isPresent() && happened(kind)) {
                    happened.add(new Transition(kind, message(kind), attempt(Optional.of(after))));
                }
            }
            return happened;
        }

        private boolean happened(Kind kind) {
            return switch (kind) {
                case Resumed -> was().equals(Optional.of(State.Suspended)) && !is(State.Suspended) && !ended();
                case Restarting -> restarts(Optional.of(after)) > restarts(before);
                case Started -> attempt(Optional.of(after)) > attempt(before);
                case QuotaReserved ->
                    reason(before, "QuotaReserved").equals(Kind.WaitingForQuota.name())
                            && condition(Optional.of(after), "QuotaReserved")
                                    .filter(c -> "True".equals(c.getStatus()))
                                    .isPresent();
                case Evicted, WaitingForSource, WaitingForQuota, Suspending ->
                    reason(Optional.of(after), "Ready").equals(kind.name())
                            && !reason(before, "Ready").equals(kind.name());
                case Running -> entered(State.Running);
                case Suspended -> entered(State.Suspended);
                case Succeeded -> entered(State.Succeeded);
                case Failed -> entered(State.Failed);
            };
        }

        private String message(Kind kind) {
            String ready = condition(Optional.of(after), "Ready")
                    .map(Condition::getMessage)
                    .orElse("");
            return switch (kind) {
                case Resumed -> "spec.lifecycle.suspend is false again";
                case Started -> "attempt %d begins %s".formatted(attempt(Optional.of(after)), from());
                case QuotaReserved ->
                    condition(Optional.of(after), "QuotaReserved")
                            .map(Condition::getMessage)
                            .orElse("");
                case Failed -> reason(Optional.of(after), "Ready") + ": " + ready;
                case Restarting,
                        Evicted,
                        WaitingForSource,
                        WaitingForQuota,
                        Running,
                        Suspending,
                        Suspended,
                        Succeeded -> ready;
            };
        }

        private String from() {
            return Optional.ofNullable(after.checkpoint())
                    .map(checkpoint -> "from the checkpoint of step " + checkpoint.step())
                    .orElse("without a checkpoint");
        }

        private boolean entered(State state) {
            return is(state) && !was().equals(Optional.of(state));
        }

        private Optional<State> was() {
            return before.map(RLVRJobStatus::state);
        }

        private boolean is(State state) {
            return after.state() == state;
        }

        private boolean ended() {
            return after.state() != null && after.state().ended();
        }

        private static int attempt(Optional<RLVRJobStatus> status) {
            return status.map(RLVRJobStatus::attempt).orElse(0);
        }

        private static int restarts(Optional<RLVRJobStatus> status) {
            return status.map(RLVRJobStatus::restarts)
                    .map(RLVRJobStatus.Restarts::total)
                    .orElse(0);
        }

        private static Optional<Condition> condition(Optional<RLVRJobStatus> status, String type) {
            return status.map(RLVRJobStatus::conditions).stream()
                    .flatMap(List::stream)
                    .filter(condition -> type.equals(condition.getType()))
                    .findFirst();
        }

        private static String reason(Optional<RLVRJobStatus> status, String type) {
            return condition(status, type).map(Condition::getReason).orElse("");
        }
    }
}
