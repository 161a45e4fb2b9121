package dev.rlvr.e2e.faults;

/** What is done to a running attempt. */
enum Fault {
    KillRank("kill a rank", Effect.Fast),
    KillLauncher("kill a launcher", Effect.Fast),
    FreezeRank("freeze a rank for ever", Effect.Fast),
    FreezeLauncher("freeze a launcher for ever", Effect.Fast),
    Slow("freeze a process for up to half the peer timeout", Effect.None),
    CutConnection("reset one TCP connection", Effect.Any),
    CutNetwork("cut the network between the pods, silently", Effect.Fast),
    FullDisk("fill the disk", Effect.Any),
    CorruptCheckpoint("kill, then change a byte of the newest checkpoint", Effect.Fast),
    DeleteCheckpointFile("kill, then delete a file of the newest checkpoint", Effect.Fast);

    private final String text;
    private final Effect effect;

    Fault(String text, Effect effect) {
        this.text = text;
        this.effect = effect;
    }

    /** What has to follow. */
    enum Effect {
        /** The attempt ends within the peer timeout. */
        Fast,
        /** The attempt ends once it needs what it was deprived of, or does without: an idle connection, a disk that nothing more is written to. */
        Any,
        /** The attempt goes on. */
        None
    }

    Effect effect() {
        return effect;
    }

    String text() {
        return text;
    }

    boolean damagesCheckpoint() {
        return this == CorruptCheckpoint || this == DeleteCheckpointFile;
    }
}
