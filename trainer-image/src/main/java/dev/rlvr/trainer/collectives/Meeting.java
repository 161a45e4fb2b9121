package dev.rlvr.trainer.collectives;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Where the ranks of one attempt meet.
 *
 * @param rank this one, from 0
 * @param size ranks
 * @param host name or address of rank 0, which keeps the store of everybody's addresses
 * @param port of the store
 * @param bind name or address under which the others reach this rank
 * @param group name of the group; other attempts have others
 * @param timeout longest that one call waits for the slowest rank
 */
public record Meeting(int rank, int size, String host, int port, String bind, String group, Duration timeout) {
    /** The same for some of the ranks. */
    Meeting among(String name, int newRank, int newSize) {
        return new Meeting(newRank, newSize, host, port, bind, group + "/" + name, timeout);
    }

    /** What a launcher told this rank; empty where the job has one rank. */
    public static Optional<Meeting> of(Map<String, String> environment, Duration timeout) {
        if (!environment.containsKey("RLVR_RANK")) {
            return Optional.empty();
        }
        return Optional.of(new Meeting(
                Integer.parseInt(environment.get("RLVR_RANK")),
                Integer.parseInt(environment.get("RLVR_WORLD_SIZE")),
                environment.get("RLVR_STORE_HOST"),
                Integer.parseInt(environment.get("RLVR_STORE_PORT")),
                environment.get("RLVR_BIND_HOST"),
                environment.get("RLVR_GROUP"),
                timeout));
    }
}
