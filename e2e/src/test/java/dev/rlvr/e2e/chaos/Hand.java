package dev.rlvr.e2e.chaos;

/** What somebody does to a job, or to what belongs to it. */
enum Hand {
    DeletePod(true),
    DeleteJob(true),
    DeleteJobInForeground(true),
    OrphanPods(true),
    DeleteSharedObject(false),
    DeleteServers(false),
    TakeQuota(false),
    Suspend(false),
    Resume(false),
    RaiseBudget(false),
    DeleteResource(false),
    DeleteResourceInForeground(false);

    /** Whether the attempt that it hits may be charged to the infrastructure. */
    final boolean costs;

    Hand(boolean costs) {
        this.costs = costs;
    }

    boolean deletesTheResource() {
        return this == DeleteResource || this == DeleteResourceInForeground;
    }
}
