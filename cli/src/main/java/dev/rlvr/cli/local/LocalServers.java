package dev.rlvr.cli.local;

import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RolloutSpec;
import dev.rlvr.lifecycle.PodObservation.Phase;
import dev.rlvr.lifecycle.ServersObservation;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The rollout servers of a run: processes that stand for the pods of a StatefulSet, at ports that stay the same for all attempts. */
final class LocalServers {
    private final RLVRJob job;
    private final WorkFolder folder;
    private final TrainerProcess trainer;
    private final List<Integer> ports = new ArrayList<>();
    private List<LocalServer> servers = List.of();
    private boolean stopping;

    LocalServers(RLVRJob job, WorkFolder folder, TrainerProcess trainer) {
        this.job = job;
        this.folder = folder;
        this.trainer = trainer;
    }

    private Optional<RolloutSpec.Servers> spec() {
        return job.getSpec().rollout().ownServers();
    }

    /** Where trainers find them, separated by commas; empty where the job has none of its own. */
    synchronized Optional<String> urls() throws IOException {
        if (spec().isEmpty()) {
            return Optional.empty();
        }
        takePorts(spec().get().replicas());
        return Optional.of(
                ports.stream().map(port -> "http://127.0.0.1:" + port).collect(Collectors.joining(",")));
    }

    /** Ports that are free now, the first time that they are asked for. */
    private void takePorts(int count) throws IOException {
        List<ServerSocket> probes = new ArrayList<>();
        try {
            while (ports.size() < count) {
                ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                probes.add(probe);
                ports.add(probe.getLocalPort());
            }
        } finally {
            for (ServerSocket probe : probes) {
                probe.close();
            }
        }
    }

    /** Starts them where they are not there. */
    synchronized void start() throws IOException {
        forgetGone();
        if (spec().isEmpty() || !servers.isEmpty()) {
            return;
        }
        takePorts(spec().get().replicas());
        stopping = false;
        servers = IntStream.range(0, ports.size())
                .mapToObj(index -> new LocalServer(this::command, index, folder))
                .toList();
        for (LocalServer server : servers) {
            server.start();
        }
    }

    private ProcessBuilder command(int index) {
        RolloutSpec.Servers asked = spec().orElseThrow();
        // the machine's cores are shared by all of them; while they sample the trainer waits
        int threads = job.getSpec().trainer().threads(Runtime.getRuntime().availableProcessors(), asked.replicas());
        List<String> arguments = new ArrayList<>(List.of(
                "--model", job.getSpec().model().source(),
                "--host", "127.0.0.1",
                "--port", Integer.toString(ports.get(index)),
                "--precision", job.getSpec().trainer().precision().name(),
                "--threads", Integer.toString(threads)));
        if (job.getSpec().model().revision() != null) {
            arguments.addAll(List.of("--revision", job.getSpec().model().revision()));
        }
        if (asked.image() == null) {
            // those of an image are another program's
            arguments.addAll(asked.arguments());
        }
        return trainer.command(TrainerProcess.SERVER, threads, arguments);
    }

    /** Ends them; asking twice changes nothing. */
    synchronized void stop() {
        stopping = true;
        servers.forEach(LocalServer::stop);
    }

    synchronized void kill() {
        stopping = true;
        servers.forEach(LocalServer::kill);
    }

    /** The servers that there are, going ones included. */
    synchronized Optional<ServersObservation> observe() {
        forgetGone();
        if (servers.isEmpty()) {
            return Optional.empty();
        }
        Optional<Phase.Waiting> waiting = servers.stream()
                .flatMap(server -> server.crash().stream())
                .findFirst()
                .map(words -> new Phase.Waiting("CrashLoop", words));
        int alive = (int) servers.stream().filter(LocalServer::isAlive).count();
        return Optional.of(new ServersObservation(stopping, alive, waiting));
    }

    private void forgetGone() {
        if (stopping && servers.stream().noneMatch(LocalServer::isAlive)) {
            servers = List.of();
        }
    }
}
