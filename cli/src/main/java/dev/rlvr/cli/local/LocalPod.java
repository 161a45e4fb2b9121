package dev.rlvr.cli.local;

import dev.rlvr.lifecycle.Failure;
import dev.rlvr.lifecycle.PodObservation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A trainer process that stands for a pod, with the ranks that it may have started. Its standard input stays open as long as this process
 * lives, which is how the trainer knows that it is still wanted.
 *
 * @param index completion index, from 0
 * @param process the trainer
 * @param startedAt when it was started
 * @param lastWords file that the trainer writes its last error line to
 */
record LocalPod(int index, Process process, Instant startedAt, Path lastWords) {

    PodObservation observe() {
        return new PodObservation(index, phase());
    }

    private PodObservation.Phase phase() {
        if (process.isAlive()) {
            return new PodObservation.Phase.Running(startedAt);
        }
        int code = process.exitValue();
        return code == 0
                ? new PodObservation.Phase.Succeeded()
                : new PodObservation.Phase.Failed(Failure.ofExitCode(code, message(code)));
    }

    private String message(int code) {
        try {
            if (Files.exists(lastWords)) {
                String words = Files.readString(lastWords).strip();
                if (!words.isEmpty()) {
                    return words;
                }
            }
        } catch (IOException e) {
            // The exit code says enough.
        }
        return "The trainer exited with code " + code + ".";
    }

    /** SIGTERM now, SIGKILL once the grace period is over. */
    void stop(Duration gracePeriod) {
        process.destroy();
        var _ = process.onExit()
                .orTimeout(gracePeriod.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((exited, late) -> kill());
    }

    void kill() {
        kill(process.toHandle());
    }

    /** Kills its ranks, too: one that is frozen would not notice that it is alone. */
    static void kill(ProcessHandle trainer) {
        List<ProcessHandle> ranks = trainer.descendants().toList();
        trainer.destroyForcibly();
        ranks.forEach(ProcessHandle::destroyForcibly);
    }
}
