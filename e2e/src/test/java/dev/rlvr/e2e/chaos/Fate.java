package dev.rlvr.e2e.chaos;

import dev.rlvr.e2e.operator.Ending;

/** What becomes of an attempt by itself, and which budget that may cost. */
enum Fate {
    Succeeds(Cost.Nothing),
    RunsOn(Cost.Nothing),
    Crashes(Cost.User),
    HasBadInput(Cost.TheJob),
    LosesAPeer(Cost.Infrastructure),
    IsKilled(Cost.Infrastructure),
    IsEvicted(Cost.Infrastructure),
    NeverStarts(Cost.Infrastructure),
    Hangs(Cost.Infrastructure);

    /** What a failure may be charged to. */
    enum Cost {
        Nothing,
        User,
        Infrastructure,
        /** The job ends. */
        TheJob
    }

    final Cost cost;

    Fate(Cost cost) {
        this.cost = cost;
    }

    /** How its pods go on once they run, or instead of running. */
    Ending ending() {
        return switch (this) {
            case Succeeds -> new Ending.Succeeds();
            case RunsOn, Hangs -> new Ending.RunsOn();
            case Crashes -> new Ending.Exits(1, "loss is NaN");
            case HasBadInput -> new Ending.Exits(2, "data.source: no such file");
            case LosesAPeer -> new Ending.Exits(75, "lost rank 1");
            case IsKilled -> new Ending.Exits(137, "");
            case IsEvicted -> new Ending.Evicted();
            case NeverStarts -> new Ending.Unschedulable("0/3 nodes are available: 3 Insufficient cpu.");
        };
    }

    boolean reportsProgress() {
        return this != Hangs && this != NeverStarts;
    }
}
