package dev.rlvr.trainer.report;

/** A place where the trainer's part of the status can be seen. */
public sealed interface StatusSink extends AutoCloseable permits StatusFile, KubernetesStatus {
    /** Takes the newest status; an older one that has not been written yet may be skipped. */
    void publish(TrainerStatus status);

    /** Writes what has not been written yet, where that is possible within seconds. */
    @Override
    void close();
}
