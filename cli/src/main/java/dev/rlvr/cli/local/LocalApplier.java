package dev.rlvr.cli.local;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.TrainerSpec;
import dev.rlvr.lifecycle.Action;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Does what a plan says, with processes and folders. */
final class LocalApplier {
    /** CUDA's own setting: a process sees the GPUs that it names, and no others. */
    private static final String DEVICES = "CUDA_VISIBLE_DEVICES";

    private final RLVRJob job;
    private final WorkFolder folder;
    private final TrainerProcess trainer;
    private final LocalProcesses processes;
    private final LocalServers servers;
    private final Clock clock;

    LocalApplier(
            RLVRJob job,
            WorkFolder folder,
            TrainerProcess trainer,
            LocalProcesses processes,
            LocalServers servers,
            Clock clock) {
        this.job = job;
        this.folder = folder;
        this.trainer = trainer;
        this.processes = processes;
        this.servers = servers;
        this.clock = clock;
    }

    void apply(List<Action> actions) throws IOException {
        for (Action action : actions) {
            switch (action) {
                case Action.EnsureResources() -> Files.createDirectories(folder.logs());
                case Action.StartAttempt(int number) -> start(number);
                case Action.StopAttempt(int number, var gracePeriod) ->
                    processes.attempts().stream()
                            .filter(attempt -> attempt.number() == number)
                            .forEach(attempt -> attempt.stop(gracePeriod));
                case Action.StartServers() -> servers.start();
                case Action.StopServers() -> servers.stop();
                case Action.RemoveResources() -> {
                    // Attempts share the work folder alone, and that is the user's.
                }
            }
        }
    }

    private void start(int number) throws IOException {
        if (processes.attempts().stream().anyMatch(attempt -> attempt.number() == number)) {
            return;
        }
        Files.createDirectories(folder.logs());
        Instant createdAt = clock.instant();
        List<LocalPod> pods = new ArrayList<>();
        String rendezvous = "127.0.0.1:" + freePort();
        for (int index = 0; index < job.getSpec().trainer().replicas(); index++) {
            pods.add(startPod(number, index, rendezvous));
        }
        LocalAttempt attempt = new LocalAttempt(number, createdAt, pods);
        processes.add(attempt, pods);
        folder.trainers().record(pods.stream().map(LocalPod::process).toList());
    }

    /** Where the first launcher will listen; it is free now. */
    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }

    private LocalPod startPod(int attempt, int index, String rendezvous) throws IOException {
        Path lastWords = folder.lastWords(attempt, index);
        Files.deleteIfExists(lastWords);
        int threads = threads(job.getSpec().trainer());
        ProcessBuilder command = trainer.command(
                        threads,
                        List.of(
                                "--job",
                                folder.job().toString(),
                                "--work",
                                folder.path().toString()))
                .redirectErrorStream(true)
                .redirectInput(Redirect.PIPE)
                .redirectOutput(Redirect.appendTo(folder.log(attempt, index).toFile()));
        command.environment()
                .putAll(Map.of(
                        "RLVR_ATTEMPT", Integer.toString(attempt),
                        "RLVR_REPLICA", Integer.toString(index),
                        "RLVR_RENDEZVOUS", rendezvous,
                        "RLVR_THREADS", Integer.toString(threads),
                        "RLVR_WATCH_STDIN", "true",
                        "RLVR_TERMINATION_LOG", lastWords.toString()));
        servers.urls().ifPresent(urls -> command.environment().put("RLVR_SERVERS", urls));
        devices(job.getSpec().trainer(), index, Optional.ofNullable(System.getenv(DEVICES)))
                .ifPresent(devices -> command.environment().put(DEVICES, devices));
        Instant startedAt = clock.instant();
        return new LocalPod(index, command.start(), startedAt, lastWords);
    }

    /**
     * GPUs of a replica where it is not alone: all replicas run here, and each takes its own of those that this machine shows. None are left for
     * the last ones where there are too few; their trainers say so.
     */
    static Optional<String> devices(TrainerSpec trainer, int index, Optional<String> visible) {
        int gpus = trainer.gpusPerReplica();
        if (gpus == 0 || trainer.replicas() == 1) {
            return Optional.empty();
        }
        List<String> all = visible.map(names -> List.of(names.split(",", -1)))
                .orElseGet(() -> IntStream.range(0, gpus * trainer.replicas())
                        .mapToObj(Integer::toString)
                        .toList());
        int from = Math.min(index * gpus, all.size());
        return Optional.of(String.join(",", all.subList(from, Math.min(from + gpus, all.size()))));
    }

    /** The machine's cores are shared by all ranks, for all of them run here. */
    static int threads(TrainerSpec trainer) {
        return trainer.threads(Runtime.getRuntime().availableProcessors(), trainer.ranks());
    }
}
