package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.commons.io.FileUtils;

/** The ranks of this pod. One thread uses it. */
final class Ranks implements AutoCloseable {
    private final LaunchSettings settings;
    private final RankCommand command;
    private final PrintStream out;
    private final Consumer<Event> events;
    private final Path folder;
    private final Gate gate;
    private final Map<Integer, RankProcess> processes = new TreeMap<>();
    private final Set<Integer> running = new HashSet<>();
    private final Set<Integer> silent = new HashSet<>();
    private final Map<Member, Integer> left = new HashMap<>();
    private boolean stopping;

    private Ranks(
            LaunchSettings settings,
            RankCommand command,
            PrintStream out,
            Consumer<Event> events,
            Path folder,
            Gate gate) {
        this.settings = settings;
        this.command = command;
        this.out = out;
        this.events = events;
        this.folder = folder;
        this.gate = gate;
    }

    /** Ranks that have not been started, and where they will give signs of life. */
    static Ranks of(
            LaunchSettings settings,
            RankCommand command,
            PrintStream out,
            Consumer<Event> events,
            ThreadFactory threads)
            throws IOException {
        Set<Member> members =
                settings.world().ranks().mapToObj(Member.Rank::new).collect(Collectors.toSet());
        Gate gate = Gate.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                settings.group(),
                members,
                settings.peerTimeout(),
                events,
                threads);
        return new Ranks(settings, command, out, events, Files.createTempDirectory("rlvr-ranks"), gate);
    }

    /** Starts all of them. */
    void start(Message.Go go) throws IOException {
        for (int rank : settings.world().ranks().toArray()) {
            RankProcess process = RankProcess.start(
                    rank, command, environment(rank, go), folder.resolve("rank-" + rank), out, events);
            processes.put(rank, process);
            running.add(rank);
            silent.add(rank);
        }
    }

    private Map<String, String> environment(int rank, Message.Go go) {
        Map<String, String> environment = new HashMap<>();
        environment.put(World.RANK, Integer.toString(rank));
        environment.put(World.SIZE, Integer.toString(settings.world().size()));
        environment.put("RLVR_REPLICA", Integer.toString(settings.world().replica()));
        environment.put("RLVR_STORE_HOST", go.storeHost());
        environment.put("RLVR_STORE_PORT", Integer.toString(go.storePort()));
        environment.put(LaunchSettings.BIND_HOST, settings.bindHost());
        environment.put(LaunchSettings.GROUP, settings.group());
        environment.put(World.THREADS, Integer.toString(settings.threads()));
        environment.put("OMP_NUM_THREADS", Integer.toString(settings.threads()));
        environment.put(Lifeline.LAUNCHER, InetAddress.getLoopbackAddress().getHostAddress() + ":" + gate.port());
        environment.put(
                Lifeline.PEER_TIMEOUT, Long.toString(settings.peerTimeout().toMillis()));
        if (!settings.devices().isEmpty()) {
            environment.put(
                    LaunchSettings.DEVICES,
                    settings.devices().get(rank - settings.world().rank()));
        }
        return environment;
    }

    /** Whether none runs. */
    boolean ended() {
        return running.isEmpty();
    }

    /** A rank has given its first sign of life. */
    void joined(int rank) {
        silent.remove(rank);
    }

    /** Kills those that have not given any sign of life within a time. */
    Verdict endSilent(Duration within) {
        Verdict verdict = Verdict.DONE;
        for (int rank : silent) {
            if (running.contains(rank)) {
                kill(rank);
                verdict = verdict.or(Verdict.tryAgain(
                        "rank %d gave no sign of life within %d s".formatted(rank, within.toSeconds())));
            }
        }
        return verdict;
    }

    /** A rank has said with which code it ends. */
    void leaving(Member rank, int exitCode) {
        left.put(rank, exitCode);
    }

    /** Whether it has said so. */
    boolean left(Member rank) {
        return left.containsKey(rank);
    }

    /** A rank's process has ended; says what that means. The rank's own word counts, whatever ended the process after it. */
    Verdict ended(int rank, int ending) {
        running.remove(rank);
        int exitValue = left.getOrDefault(new Member.Rank(rank), ending);
        Verdict verdict = processes.get(rank).verdict(exitValue);
        // a JVM that is asked so early that the trainer cannot hear it ends by the signal
        boolean asked = stopping && (exitValue == 143 || (exitValue == 75 && verdict.kind() == Verdict.Kind.TryAgain));
        return asked ? new Verdict(Verdict.Kind.Stopped, verdict.message()) : verdict;
    }

    /** Asks all to write a checkpoint and end. */
    void stop() {
        stopping = true;
        processes.values().forEach(RankProcess::stop);
    }

    void kill(int rank) {
        processes.get(rank).kill();
    }

    /** Ends those that still run. */
    void kill() {
        running.forEach(this::kill);
    }

    @Override
    public void close() {
        kill();
        gate.close();
        FileUtils.deleteQuietly(folder.toFile());
    }
}
