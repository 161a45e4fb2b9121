package dev.rlvr.trainer.launch;

import java.io.IOException;

/** The launchers of the other pods, as one launcher sees them; one thread uses it. Replica 0 knows all, every other one only replica 0. */
sealed interface Replicas extends AutoCloseable permits FirstReplica, OtherReplica {
    /** Those that a launcher has to find. */
    static Replicas of(LaunchSettings settings) {
        return settings.world().replica() == 0 ? new FirstReplica(settings) : new OtherReplica(settings);
    }

    /** Begins to look for them; an event follows for each. */
    void seek(Events events) throws IOException;

    /** Whom is waited for before the start, for people. */
    String missing();

    /** Takes note of one that is there. */
    void joined(Link link);

    /** Whether it is for this one to say go, now. */
    boolean complete();

    /** Sends a message to each that is connected. */
    void tell(Message message);

    /** One has no more to say: it has reported, has ended everything, or is lost. */
    void settle(Member replica);

    /** All ranks of this pod have ended. */
    void report(Verdict verdict);

    /** Whether no more is to be heard. */
    boolean settled();

    /** The last word of this launcher. */
    void end(Verdict verdict) throws InterruptedException;

    @Override
    void close();
}
