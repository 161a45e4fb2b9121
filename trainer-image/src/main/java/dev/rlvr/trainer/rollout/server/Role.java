package dev.rlvr.trainer.rollout.server;

/** What a rank does for the servers besides asking them: exactly one gives them weights. */
public enum Role {
    /** There are no other ranks, so that nobody else's requests are at the servers. */
    ALONE,

    /** Writes weights and gives them to the servers, also while others sample and it has nothing left to ask. */
    FIRST,

    /** Waits until servers have the weights. */
    OTHER;

    /** That of a rank. */
    public static Role of(int rank, int ranks) {
        return ranks == 1 ? ALONE : rank == 0 ? FIRST : OTHER;
    }

    boolean givesWeights() {
        return this != OTHER;
    }
}
