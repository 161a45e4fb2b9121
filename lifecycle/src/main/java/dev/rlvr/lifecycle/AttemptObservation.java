package dev.rlvr.lifecycle;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * One attempt that exists.
 *
 * @param number from 1
 * @param createdAt when its Job or processes were created
 * @param admission whether it may run: quota first, where a queue controls it
 * @param stopping its removal has been asked for and is under way
 * @param pods those that exist, by ascending index
 * @param outcome how the attempt as a whole ended, once it has: survives the removal of single pods
 */
public record AttemptObservation(
        int number,
        Instant createdAt,
        Admission admission,
        boolean stopping,
        List<PodObservation> pods,
        Optional<Outcome> outcome) {
    public AttemptObservation {
        pods = List.copyOf(pods);
    }

    /** Whether a queue lets the attempt run. */
    public sealed interface Admission {
        /** It may run; also where no queue controls it. */
        record Admitted() implements Admission {}

        /** It waits for quota. */
        record WaitingForQuota(String message) implements Admission {}

        /** It ran, and the queue took its quota back. */
        record Evicted(String message) implements Admission {}
    }

    /** How an attempt ended. */
    public sealed interface Outcome {
        /** Every pod exited with 0. */
        record Succeeded() implements Outcome {}

        /** A pod failed, or the attempt as a whole was ended. */
        record Failed(Failure failure) implements Outcome {}
    }
}
