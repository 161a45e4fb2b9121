package dev.rlvr.e2e.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/**
 * A job and what befalls it, all drawn from one seed: what its attempts do, what people do to it, and how its requests fare.
 *
 * @param replicas trainer pods
 * @param queued whether a queue decides when it runs
 * @param servers whether it has rollout servers of its own
 * @param gang whether its pods start together
 * @param userBudget restarts after its own failures
 * @param infrastructureBudget restarts after others'
 * @param ttl ttlAfterFinished, where it has one
 * @param deletesClaim whether its checkpoints go with it
 * @param created when, counted from the storm's begin
 * @param faults how many of a hundred requests are hit
 * @param kills numbers of the job's requests at which the operator dies
 */
record Schedule(
        long seed,
        int replicas,
        boolean queued,
        boolean servers,
        boolean gang,
        int userBudget,
        int infrastructureBudget,
        Optional<String> ttl,
        boolean deletesClaim,
        Duration created,
        int faults,
        Set<Integer> kills,
        List<Planned> hands) {
    static final String PREFIX = "run-";

    /** How long the storm rages. */
    static final Duration STORM = Duration.ofSeconds(12);

    private static final Duration CREATION = Duration.ofSeconds(2);

    /** A hand and its moment, counted from the storm's begin. */
    record Planned(Hand hand, Duration at) {
        @Override
        public String toString() {
            return "%s@%.1fs".formatted(hand, at.toMillis() / 1e3);
        }
    }

    static Schedule of(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean queued = random.nextInt(4) == 0;
        boolean servers = random.nextInt(4) == 0;
        return new Schedule(
                seed,
                random.nextInt(1, 3),
                queued,
                servers,
                random.nextInt(5) == 0,
                random.nextInt(3),
                random.nextInt(4),
                random.nextInt(3) == 0 ? Optional.of(random.nextBoolean() ? "0s" : "20s") : Optional.empty(),
                random.nextBoolean(),
                Duration.ofMillis(random.nextLong(CREATION.toMillis())),
                random.nextInt(4) == 0 ? 0 : random.nextInt(5, 31),
                kills(random),
                hands(random, queued, servers));
    }

    private static Set<Integer> kills(RandomGenerator random) {
        Set<Integer> kills = new TreeSet<>();
        while (random.nextInt(5) == 0) {
            kills.add(random.nextInt(120));
        }
        return kills;
    }

    private static List<Planned> hands(RandomGenerator random, boolean queued, boolean servers) {
        List<Hand> possible = new ArrayList<>(List.of(Hand.values()));
        if (!queued) {
            possible.remove(Hand.TakeQuota);
        }
        if (!servers) {
            possible.remove(Hand.DeleteServers);
        }
        List<Planned> hands = new ArrayList<>();
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            hands.add(new Planned(
                    possible.get(random.nextInt(possible.size())),
                    CREATION.plusMillis(random.nextLong(STORM.minus(CREATION).toMillis()))));
        }
        hands.sort(Comparator.comparing(Planned::at));
        return List.copyOf(hands);
    }

    String name() {
        return PREFIX + seed;
    }

    /** What becomes of an attempt that the storm hits. */
    Fate fate(int attempt) {
        int draw = random(attempt, 1).nextInt(20);
        return switch (draw) {
            case 0, 1, 2, 3 -> Fate.Succeeds;
            case 4, 5, 6 -> Fate.RunsOn;
            case 7, 8, 9, 10 -> Fate.Crashes;
            case 11 -> Fate.HasBadInput;
            case 12, 13 -> Fate.LosesAPeer;
            case 14 -> Fate.IsKilled;
            case 15, 16, 17 -> Fate.IsEvicted;
            case 18 -> Fate.NeverStarts;
            default -> Fate.Hangs;
        };
    }

    /** Random numbers for one use of one attempt or request, the same whatever else goes on. */
    RandomGenerator random(int number, int use) {
        return new SplittableRandom(seed * 1_000_003 + number * 31L + use);
    }

    String manifest(String namespace) {
        return """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata:
                  name: %s
                  namespace: %s
                  labels: {%s}
                spec:
                  model: {source: bundled://quickstart/model}
                  data: {source: bundled://quickstart/train.jsonl}
                  reward: {verifier: Numeric}
                  trainer: {gpusPerReplica: 0, replicas: %d%s}
                  rollout: {%s}
                  checkpoint: {volume: {reclaim: %s}}
                  lifecycle:
                    startDeadline: 90s
                    stallDeadline: 90s
                    restarts: {user: %d, infrastructure: %d}
                    %s
                """.formatted(
                        name(),
                        namespace,
                        queued ? "kueue.x-k8s.io/queue-name: team-a" : "",
                        replicas,
                        gang ? ", gang: {scheduler: Volcano}" : "",
                        servers ? "engine: Sglang, servers: {replicas: 2, gpusPerReplica: 0}" : "",
                        deletesClaim ? "Delete" : "Retain",
                        userBudget,
                        infrastructureBudget,
                        ttl.map(limit -> "ttlAfterFinished: " + limit).orElse(""));
    }
}
