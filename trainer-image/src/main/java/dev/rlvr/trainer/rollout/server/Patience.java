package dev.rlvr.trainer.rollout.server;

import java.time.Duration;

/**
 * How long to wait for servers.
 *
 * @param generate for the answers of one request
 * @param update for new weights to be read and taken over
 * @param reply for everything else: health, version, pause, flush
 * @param healthInterval between two looks at a server that is sampling
 * @param firstPause before a server that failed is tried again; twice as long after each further failure
 * @param longestPause the most that grows to
 * @param deadline without any usable server, after which sampling fails
 */
public record Patience(
        Duration generate,
        Duration update,
        Duration reply,
        Duration healthInterval,
        Duration firstPause,
        Duration longestPause,
        Duration deadline) {
    /** For real servers: SGLang takes up to 20 s to say that it is not healthy. */
    public static Patience of(Duration deadline) {
        return new Patience(
                Duration.ofHours(2),
                Duration.ofMinutes(30),
                Duration.ofSeconds(30),
                Duration.ofSeconds(10),
                Duration.ofMillis(200),
                Duration.ofSeconds(10),
                deadline);
    }

    /** Between two looks at a server for weights that another rank gives it. */
    Duration weightsInterval() {
        return firstPause.multipliedBy(5);
    }

    /** The pause after so many failures in a row. */
    Duration pause(int failures) {
        if (failures == 0) {
            return Duration.ZERO;
        }
        Duration pause = firstPause.multipliedBy(1L << Math.min(failures - 1, 20));
        return pause.compareTo(longestPause) < 0 ? pause : longestPause;
    }
}
