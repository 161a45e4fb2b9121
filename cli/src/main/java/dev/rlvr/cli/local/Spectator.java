package dev.rlvr.cli.local;

import dev.rlvr.crds.RLVRJobStatus;

/** Is told what the back end sees, each time it looks. */
@FunctionalInterface
public interface Spectator {
    /**
     * The case after a plan was applied.
     *
     * @param status the whole status
     * @param phase what the trainer is doing, for people; empty where it did not say
     */
    void show(RLVRJobStatus status, String phase);
}
