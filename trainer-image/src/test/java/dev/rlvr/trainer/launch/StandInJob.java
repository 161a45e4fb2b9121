package dev.rlvr.trainer.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * A job whose launchers run in this JVM, or as processes, and whose ranks are {@link StandInRank}s.
 *
 * @param folder where ranks leave their process numbers
 */
record StandInJob(Path folder, int replicas, int ranksPerReplica, int port, String group, List<String> behaviour) {
    static final Duration PEER_TIMEOUT = Duration.ofSeconds(2);

    /** A launcher, what its ranks wrote, and its end. */
    record Running(Launcher launcher, ByteArrayOutputStream output, CompletableFuture<Verdict> end) {
        Verdict verdict() throws Exception {
            return end.get(30, TimeUnit.SECONDS);
        }

        List<String> lines() {
            return output.toString(StandardCharsets.UTF_8).lines().toList();
        }
    }

    static StandInJob of(Path folder, int replicas, int ranksPerReplica, String... behaviour) throws IOException {
        return new StandInJob(folder, replicas, ranksPerReplica, freePort(), "default/job/1", List.of(behaviour));
    }

    StandInJob ofGroup(String other) {
        return new StandInJob(folder, replicas, ranksPerReplica, port, other, behaviour);
    }

    static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }

    LaunchSettings settings(int replica, int rendezvousPort, Duration startDeadline) {
        return new LaunchSettings(
                new World(replicas, ranksPerReplica, replica, replica * ranksPerReplica),
                group,
                Optional.of(new LaunchSettings.Address("127.0.0.1", rendezvousPort)),
                "127.0.0.1",
                1,
                List.of(),
                startDeadline,
                PEER_TIMEOUT);
    }

    Running start(int replica) {
        return start(settings(replica, port, Duration.ofMinutes(1)));
    }

    Running start(LaunchSettings settings) {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        Launcher launcher = new Launcher(settings, rank(), new PrintStream(output, true, StandardCharsets.UTF_8));
        CompletableFuture<Verdict> end = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return launcher.run();
                    } catch (InterruptedException e) {
                        throw new CompletionException(e);
                    }
                },
                task -> Thread.ofPlatform().daemon().start(task));
        return new Running(launcher, output, end);
    }

    private RankCommand rank() {
        List<String> command = new ArrayList<>(java());
        command.addAll(List.of(StandInRank.class.getName(), folder.toString()));
        command.addAll(behaviour);
        return new RankCommand(command);
    }

    /** A launcher as a process of its own. */
    Process startProcess(int replica) throws IOException {
        List<String> command = new ArrayList<>(java());
        command.addAll(List.of(
                // a launcher that is killed leaves its files
                "-Djava.io.tmpdir=" + folder,
                StandInLauncher.class.getName(),
                Integer.toString(replicas),
                Integer.toString(ranksPerReplica),
                Integer.toString(replica),
                Integer.toString(port),
                group,
                folder.toString()));
        command.addAll(behaviour);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("launcher-" + replica + ".log").toFile())
                .start();
    }

    /** A JVM that starts quickly. */
    private static List<String> java() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    }

    /** The processes of all ranks, once they have met. */
    List<ProcessHandle> ranks() throws Exception {
        List<ProcessHandle> ranks = new ArrayList<>();
        for (int rank : IntStream.range(0, replicas * ranksPerReplica).toArray()) {
            Path number = folder.resolve("rank-" + rank);
            for (int tries = 0; !Files.exists(number); tries++) {
                assertThat(tries).as("rank %d has started", rank).isLessThan(1500);
                Thread.sleep(20);
            }
            ranks.add(ProcessHandle.of(Long.parseLong(Files.readString(number))).orElseThrow());
        }
        return ranks;
    }

    /** Sends a signal, by its name. */
    static void signal(String name, ProcessHandle to) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(to.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Waits until processes have ended, and says how long that took from now. */
    static Duration untilGone(List<ProcessHandle> processes) throws InterruptedException {
        long begin = System.nanoTime();
        while (processes.stream().anyMatch(StandInJob::lives)) {
            assertThat(System.nanoTime() - begin)
                    .isLessThan(Duration.ofSeconds(30).toNanos());
            Thread.sleep(10);
        }
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    /** One that has ended and whose parent has not taken note of that, since it is frozen, say, has no command any more. */
    private static boolean lives(ProcessHandle process) {
        return process.isAlive() && process.info().command().isPresent();
    }
}
