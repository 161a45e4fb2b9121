package dev.rlvr.lifecycle;

import dev.rlvr.lifecycle.PodObservation.Phase;
import dev.rlvr.lifecycle.Situation.Fact;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What the pods of one attempt say together.
 *
 * @param pods those that exist
 * @param replicas how many there must be
 */
record Pods(List<PodObservation> pods, int replicas) {

    /** All exited with 0. */
    boolean succeeded() {
        return pods.size() >= replicas && pods.stream().allMatch(p -> p.phase() instanceof Phase.Succeeded);
    }

    /** None runs or will run. */
    boolean finished() {
        return pods.stream().allMatch(p -> p.phase() instanceof Phase.Succeeded || p.phase() instanceof Phase.Failed);
    }

    /** All run, or have run to their end. */
    boolean ready() {
        return pods.stream()
                        .filter(p -> p.phase() instanceof Phase.Running || p.phase() instanceof Phase.Succeeded)
                        .count()
                >= replicas;
    }

    /** Some no longer run and have not exited with 0 either, though all ran before. */
    boolean lost() {
        return !ready() && pods.stream().noneMatch(p -> p.phase() instanceof Phase.Succeeded);
    }

    /** When the last of them began to run. */
    Optional<Instant> runningSince() {
        return pods.stream()
                .flatMap(p -> p.phase() instanceof Phase.Running(Instant since) ? Stream.of(since) : Stream.empty())
                .max(Comparator.naturalOrder());
    }

    /**
     * The failure that explains the others. When one rank dies its peers fail too, as lost peers with exit code 75: so wrong input
     * explains more than a crash, a crash more than a failure of the machine, and a named failure of the machine more than exit 75.
     */
    Optional<Failure> failure() {
        return pods.stream()
                .flatMap(p -> p.phase() instanceof Phase.Failed(Failure failure) ? Stream.of(failure) : Stream.empty())
                .min(Comparator.comparingInt(Pods::rank));
    }

    private static int rank(Failure failure) {
        return switch (failure.cause()) {
            case BadInput -> 0;
            case User -> 1;
            case Infrastructure -> failure.reason().equals(Failure.TRY_AGAIN) ? 3 : 2;
        };
    }

    /** Whether they all run, with the reason of the first that waits. */
    Fact fact() {
        if (ready()) {
            return new Fact(true, "AllRunning", "%d of %d pods run".formatted(replicas, replicas));
        }
        return pods.stream()
                .flatMap(p -> p.phase() instanceof Phase.Waiting(String reason, String message)
                        ? Stream.of(new Fact(false, reason, "pod %d waits: %s".formatted(p.index(), message)))
                        : Stream.empty())
                .findFirst()
                .orElse(new Fact(false, "Creating", "%d of %d pods exist".formatted(pods.size(), replicas)));
    }
}
