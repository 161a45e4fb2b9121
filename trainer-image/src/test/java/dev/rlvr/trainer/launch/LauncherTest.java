package dev.rlvr.trainer.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.Manifest;
import dev.rlvr.trainer.launch.StandInJob.Running;
import dev.rlvr.trainer.launch.Verdict.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ranks of one pod: real processes that end, hang and are killed. */
@Tag("slow")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LauncherTest {
    /** For the operating system to do it, on a busy machine. */
    private static final Duration SLACK = Duration.ofMillis(1500);

    @TempDir
    private Path folder;

    @Test
    void ranksGetTheirPlaceAndTheirOutputIsPassedOnLineByLine() throws Exception {
        Running launcher = StandInJob.of(folder, 1, 2, "*=exit 0").start(0);

        assertThat(launcher.verdict()).isEqualTo(Verdict.DONE);
        assertThat(launcher.lines())
                .containsExactlyInAnyOrder(
                        "[rank 0] {RLVR_BIND_HOST=127.0.0.1, RLVR_GROUP=default/job/1, RLVR_THREADS=1, RLVR_WORLD_SIZE=2}",
                        "[rank 0] all are there",
                        "[rank 1] all are there");
    }

    private static LaunchSettings settings(int gpus) {
        return LaunchSettings.of(
                Manifest.parse("""
                        apiVersion: rlvr.dev/v1alpha1
                        kind: RLVRJob
                        metadata: {name: small}
                        spec:
                          model: {source: "file:///model"}
                          data: {source: "file:///data.jsonl"}
                          reward: {verifier: Numeric}
                          trainer: {gpusPerReplica: %d}
                        """.formatted(gpus), "test"), Map.of("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b,GPU-c"), 4);
    }

    @Test
    void eachRankSeesAGpuOfItsOwn() throws Exception {
        assertThat(settings(0).devices()).isEmpty();
        assertThat(settings(2).devices()).containsExactly("GPU-a", "GPU-b");
        assertThatThrownBy(() -> settings(4)).hasMessageContaining("names 3 GPUs, fewer than");

        Running launcher = StandInJob.of(folder, 1, 2, "*=exit 0").start(settings(2));

        assertThat(launcher.verdict()).isEqualTo(Verdict.DONE);
        assertThat(launcher.lines()).contains("[rank 0] sees GPU-a", "[rank 1] sees GPU-b");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            2=exit 2 spec.data.source: line 3 is not JSON | WrongInput | rank 2: spec.data.source: line 3 is not JSON
            2=exit 1 training failed: out of ideas        | Failed     | rank 2: training failed: out of ideas
            0=exit 75 the disk is full                    | TryAgain   | rank 0: the disk is full
            1=exit 3                                      | TryAgain   | rank 1 ended with exit code 3
            """)
    void theRankWhoseFaultItWasIsNamedAndNotThoseThatLostIt(String behaviour, Kind kind, String message)
            throws Exception {
        Running launcher = StandInJob.of(folder, 1, 3, behaviour).start(0);

        assertThat(launcher.verdict()).isEqualTo(new Verdict(kind, message));
    }

    @Test
    void aKilledRankTakesTheOthersAlong() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 3, "2=deaf");
        Running launcher = job.start(0);
        List<ProcessHandle> ranks = job.ranks();

        StandInJob.signal("KILL", ranks.get(1));

        assertThat(StandInJob.untilGone(ranks)).isLessThan(SLACK);
        assertThat(launcher.verdict()).isEqualTo(Verdict.tryAgain("rank 1 was killed by signal 9; out of memory?"));
    }

    @Test
    void aFrozenRankEndsAllOfThemWithinThePeerTimeout() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 2);
        Running launcher = job.start(0);
        List<ProcessHandle> ranks = job.ranks();

        StandInJob.signal("STOP", ranks.get(1));

        assertThat(StandInJob.untilGone(ranks))
                .isBetween(StandInJob.PEER_TIMEOUT.dividedBy(2), StandInJob.PEER_TIMEOUT.plus(SLACK));
        assertThat(launcher.verdict()).isEqualTo(Verdict.tryAgain("rank 1 has not answered for 1.7 s"));
    }

    @Test
    void ranksThatHaveDoneTheirWorkAreNotBlamedWhereTheirProcessesDoNotEnd() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 2, "*=leave 0");
        Running launcher = job.start(0);
        List<ProcessHandle> ranks = job.ranks();

        assertThat(StandInJob.untilGone(ranks)).isLessThan(StandInJob.PEER_TIMEOUT.plus(SLACK));
        assertThat(launcher.verdict()).isEqualTo(Verdict.DONE);
    }

    @Test
    void whatARankSaysOfItsEndCountsHoweverItsProcessEnds() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 2, "1=leave 2 spec.data.source: line 3 is not JSON");
        Running launcher = job.start(0);
        List<ProcessHandle> ranks = job.ranks();

        assertThat(StandInJob.untilGone(ranks)).isLessThan(StandInJob.PEER_TIMEOUT.plus(SLACK));
        assertThat(launcher.verdict())
                .isEqualTo(new Verdict(Kind.WrongInput, "rank 1: spec.data.source: line 3 is not JSON"));
    }

    @Test
    void aMachineThatSleptBlamesNobody() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 2);
        Process launcher = job.startProcess(0);
        List<ProcessHandle> all = new ArrayList<>(job.ranks());
        all.add(launcher.toHandle());

        for (ProcessHandle process : all) {
            StandInJob.signal("STOP", process);
        }
        Thread.sleep(StandInJob.PEER_TIMEOUT.plusSeconds(1));
        for (ProcessHandle process : all) {
            StandInJob.signal("CONT", process);
        }
        Thread.sleep(StandInJob.PEER_TIMEOUT);

        assertThat(all).allMatch(ProcessHandle::isAlive);
        launcher.destroyForcibly().waitFor();
        StandInJob.untilGone(all);
    }

    @Test
    void ranksThatAreStoppedGetTheTimeToSaveTheirState() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 2, "0=save 1200");
        Running launcher = job.start(0);
        List<ProcessHandle> ranks = job.ranks();

        launcher.launcher().stop();

        assertThat(launcher.verdict())
                .isEqualTo(new Verdict(Kind.Stopped, "rank 1: stopped on request; the state is saved"));
        assertThat(ranks).noneMatch(ProcessHandle::isAlive);
    }

    @Test
    void ranksOfAKilledLauncherEndByThemselves() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 2, "*=deaf");
        Process launcher = job.startProcess(0);
        List<ProcessHandle> ranks = job.ranks();

        StandInJob.signal("KILL", launcher.toHandle());

        assertThat(StandInJob.untilGone(ranks)).isLessThan(SLACK);
    }

    @Test
    void ranksOfAFrozenLauncherEndWithinThePeerTimeout() throws Exception {
        StandInJob job = StandInJob.of(folder, 1, 2, "*=deaf");
        Process launcher = job.startProcess(0);
        List<ProcessHandle> ranks = job.ranks();
        try {
            StandInJob.signal("STOP", launcher.toHandle());
            assertThat(StandInJob.untilGone(ranks)).isLessThan(StandInJob.PEER_TIMEOUT.plus(SLACK));
        } finally {
            launcher.destroyForcibly();
        }
    }
}
