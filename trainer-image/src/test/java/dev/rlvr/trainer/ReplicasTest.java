package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Jobs of several pods: real launchers with real ranks, as a back end starts them. */
@Tag("slow")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ReplicasTest {
    @TempDir
    private Path folder;

    @Test
    void twoPodsOfOneRankTrainToTheSameWeightsAsOnePodOfTwo() throws Exception {
        SmallJob pod = SmallJob.in(folder.resolve("pod"), 1, "", ", ranksPerReplica: 2");
        SmallJob pods = SmallJob.in(folder.resolve("pods"), 1, "", ", replicas: 2");
        int port = freePort();

        Process second = pods.start(replica(1, port));
        Process first = pods.start(replica(0, port));

        assertThat(first.waitFor()).as("see log.txt").isZero();
        assertThat(second.waitFor()).isZero();
        assertThat(pod.start().waitFor()).isZero();
        assertThat(pods.finalWeights()).isEqualTo(pod.finalWeights());
    }

    @Test
    void aFrozenRankEndsAllPodsWithinThePeerTimeout() throws Exception {
        SmallJob job = SmallJob.in(folder.resolve("frozen"), 200, "", ", replicas: 2");
        Files.writeString(job.manifest(), "  lifecycle: {peerTimeout: 6s}\n", StandardOpenOption.APPEND);
        int port = freePort();
        Process first = job.start(replica(0, port));
        Process second = job.start(replica(1, port));
        job.waitForSteps(1, first);

        ProcessHandle rank = second.children().findFirst().orElseThrow();
        new ProcessBuilder("kill", "-STOP", Long.toString(rank.pid())).start().waitFor();
        long then = System.nanoTime();

        assertThat(second.waitFor()).isEqualTo(75);
        assertThat(first.waitFor()).isEqualTo(75);
        assertThat((System.nanoTime() - then) / 1e9).isLessThan(8);
        assertThat(job.lastWords()).hasContent("rank 1 has not answered for 5 s");
        assertThat(rank.isAlive()).isFalse();
    }

    @Test
    void ranksTrainWhatTheirLauncherHasReadWhateverBecomesOfTheManifest() throws Exception {
        SmallJob job = SmallJob.in(folder.resolve("edited"), 1, "", ", replicas: 2");
        SmallJob copy = new SmallJob(Files.copy(job.manifest(), folder.resolve("copy.yaml")), job.work());
        int port = freePort();
        Process first = job.start(replica(0, port));
        waitUntilItListens(first, port);

        Files.writeString(job.manifest(), "is being edited");
        Process second = copy.start(replica(1, port));

        assertThat(first.waitFor()).as("see log.txt").isZero();
        assertThat(second.waitFor()).isZero();
        assertThat(job.metrics()).hasSize(1);
    }

    @Test
    void aPodWhoseNameAppearsAfterAnotherHasLookedIsFoundAtOnce() throws Exception {
        SmallJob job = SmallJob.in(folder.resolve("named"), 1, "", ", replicas: 2");
        Path names = folder.resolve("hosts");
        assertThat(new ProcessBuilder("mkfifo", names.toString()).start().waitFor())
                .isZero();
        try (ServerSocket first = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Process second = job.start(Map.of(
                    "RLVR_REPLICA",
                    "1",
                    "RLVR_RENDEZVOUS",
                    "pod-0:" + first.getLocalPort(),
                    "JAVA_TOOL_OPTIONS",
                    "-Djdk.net.hosts.file=" + names));
            // opens once somebody looks, and names nobody
            Files.newOutputStream(names).close();
            Path later = Files.writeString(folder.resolve("later"), "127.0.0.1 pod-0\n");
            Files.move(later, names, StandardCopyOption.ATOMIC_MOVE);

            // a JVM that is not told otherwise believes in the first answer for 10 s
            first.setSoTimeout(8_000);
            first.accept().close();
            second.destroy();
            second.waitFor();
        }
    }

    @Test
    void wrongInputIsTheUsersBeforeAnyRankStarts() throws Exception {
        SmallJob job = SmallJob.in(folder.resolve("wrong"), 2, "", ", ranksPerReplica: 2");
        Files.writeString(
                job.manifest(), Files.readString(job.manifest()).replace("quickstart/train.jsonl", "nowhere.jsonl"));

        assertThat(job.start().waitFor()).isEqualTo(2);

        assertThat(job.lastWords()).content().startsWith("spec.data.source");
        assertThat(job.work().resolveSibling("log.txt")).content().doesNotContain("[rank");
    }

    private static Map<String, String> replica(int index, int port) {
        return Map.of("RLVR_REPLICA", Integer.toString(index), "RLVR_RENDEZVOUS", "127.0.0.1:" + port);
    }

    /** A launcher that waits for others has read the manifest. */
    private static void waitUntilItListens(Process launcher, int port) throws InterruptedException {
        boolean listens = false;
        while (!listens) {
            assertThat(launcher.isAlive()).as("see log.txt").isTrue();
            try (Socket probe = new Socket(InetAddress.getLoopbackAddress(), port)) {
                listens = probe.isConnected();
            } catch (IOException e) {
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        }
    }
}
