package dev.rlvr.cli.local;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus;
import dev.rlvr.lifecycle.AttemptObservation;
import dev.rlvr.lifecycle.Observation;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;

/** Sees what is the case: processes and what the trainer wrote. */
final class LocalObserver {
    private final WorkFolder folder;
    private final LocalProcesses processes;
    private final LocalServers servers;
    private final OtherJobs others;

    LocalObserver(WorkFolder folder, LocalProcesses processes, LocalServers servers, OtherJobs others) {
        this.others = others;
        this.folder = folder;
        this.processes = processes;
        this.servers = servers;
    }

    Observation observe(RLVRJob job, RLVRJobStatus trainersPart) throws IOException {
        List<AttemptObservation> attempts =
                processes.attempts().stream().map(LocalAttempt::observe).toList();
        return new Observation(
                Files.isDirectory(folder.logs()),
                attempts,
                servers.observe(),
                others.observe(job),
                Optional.ofNullable(trainersPart.progress()),
                Optional.ofNullable(trainersPart.checkpoint()));
    }
}
