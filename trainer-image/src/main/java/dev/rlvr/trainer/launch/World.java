package dev.rlvr.trainer.launch;

import dev.rlvr.crds.TrainerSpec;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * All ranks of a job, and which of them a process is.
 *
 * @param replicas pods (or local launchers)
 * @param ranksPerReplica ranks of each pod
 * @param replica index of this process's pod, from 0
 * @param rank of this process, from 0 over all pods; of a launcher, the first of its pod
 */
public record World(int replicas, int ranksPerReplica, int replica, int rank) {
    /** Rank of a process over all pods, from 0; only a launcher's children have it. */
    public static final String RANK = "RLVR_RANK";

    /** How many ranks there are. */
    public static final String SIZE = "RLVR_WORLD_SIZE";

    /** Threads of a rank where the spec leaves them open and the ranks share more than their pod's cores. */
    public static final String THREADS = "RLVR_THREADS";

    private static final String REPLICA = "RLVR_REPLICA";
    private static final String COMPLETION_INDEX = "JOB_COMPLETION_INDEX";

    public World {
        if (replica < 0 || replica >= replicas) {
            throw new IllegalArgumentException(
                    "%s: %d is not below spec.trainer.replicas %d".formatted(REPLICA, replica, replicas));
        }
        if (rank / ranksPerReplica != replica) {
            throw new IllegalArgumentException(
                    "%s: %d is not of replica %d, which has %d ranks".formatted(RANK, rank, replica, ranksPerReplica));
        }
    }

    /**
     * Reads it from a job and the environment of a launcher or of one of its ranks.
     *
     * @throws IllegalArgumentException if the environment does not fit the job
     */
    public static World of(TrainerSpec spec, Map<String, String> environment) {
        int ranks = spec.ranksPerPod();
        String index = environment.getOrDefault(REPLICA, environment.getOrDefault(COMPLETION_INDEX, "0"));
        int replica = Integer.parseInt(index);
        int rank = Integer.parseInt(environment.getOrDefault(RANK, Integer.toString(replica * ranks)));
        return new World(spec.replicas(), ranks, replica, rank);
    }

    /** Ranks in all. */
    public int size() {
        return replicas * ranksPerReplica;
    }

    /** Whether there is more than one rank, so that launchers start them. */
    public boolean distributed() {
        return size() > 1;
    }

    /** The ranks of this pod. */
    IntStream ranks() {
        return IntStream.range(0, ranksPerReplica).map(local -> replica * ranksPerReplica + local);
    }

    /**
     * Threads that a rank computes with: as the spec says, else as {@link #THREADS} says, else its share of the cores of the pod.
     *
     * @param cores that this process may use
     */
    public int threads(TrainerSpec spec, Map<String, String> environment, int cores) {
        int share = spec.threads(cores, ranksPerReplica);
        return spec.threadsPerRank() == 0 && environment.containsKey(THREADS)
                ? Integer.parseInt(environment.get(THREADS))
                : share;
    }
}
