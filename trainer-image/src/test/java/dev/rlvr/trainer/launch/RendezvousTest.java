package dev.rlvr.trainer.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.trainer.launch.StandInJob.Running;
import dev.rlvr.trainer.launch.Verdict.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Launchers of several pods that look for each other, and lose each other. */
@Tag("slow")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class RendezvousTest {
    private static final Duration SLACK = Duration.ofMillis(1500);

    @TempDir
    private Path folder;

    @Test
    void podsThatComeInAnyOrderStartTogetherAndEndTogether() throws Exception {
        StandInJob job = StandInJob.of(folder, 3, 1, "*=exit 0");
        Running second = job.start(1);
        Thread.sleep(700); // it has knocked at a closed door
        Running first = job.start(0);
        Running third = job.start(2);

        for (Running launcher : List.of(first, second, third)) {
            assertThat(launcher.verdict()).isEqualTo(Verdict.DONE);
        }
        assertThat(third.lines()).containsExactly("[rank 2] all are there");
    }

    @Test
    void missingPodsAreNamedAtTheDeadline() throws Exception {
        StandInJob job = StandInJob.of(folder, 4, 1);
        Running first = job.start(job.settings(0, job.port(), Duration.ofSeconds(1)));
        Running third = job.start(2);

        Verdict expected = Verdict.tryAgain("waited 1 s (spec.lifecycle.startDeadline) for replicas 1, 3 of 4");
        assertThat(first.verdict()).isEqualTo(expected);
        assertThat(third.verdict()).isEqualTo(expected);
    }

    @Test
    void aPodThatDoesNotFindTheFirstSaysWhere() throws Exception {
        StandInJob job = StandInJob.of(folder, 2, 1);

        Verdict verdict =
                job.start(job.settings(1, job.port(), Duration.ofSeconds(1))).verdict();

        assertThat(verdict.kind()).isEqualTo(Kind.TryAgain);
        assertThat(verdict.message())
                .isEqualTo(
                        "waited 1 s (spec.lifecycle.startDeadline) for replica 0 at 127.0.0.1:%d (Connection refused)"
                                .formatted(job.port()));
    }

    @Test
    void aPodOfAnOldAttemptIsTurnedAwayAndTheRightOneIsNot() throws Exception {
        StandInJob job = StandInJob.of(folder, 2, 1, "*=exit 0");
        Running first = job.start(0);
        Running old = job.ofGroup("default/job/0").start(1);

        assertThat(old.verdict().kind()).isEqualTo(Kind.TryAgain);
        assertThat(old.verdict().message())
                .isEqualTo("replica 1 is of attempt default/job/0, and this is default/job/1; it is from an attempt"
                        + " that has ended");

        Running right = job.start(1);
        assertThat(right.verdict()).isEqualTo(Verdict.DONE);
        assertThat(first.verdict()).isEqualTo(Verdict.DONE);
    }

    @Test
    void allPodsEndWithTheCauseThatOneOfThemKnows() throws Exception {
        StandInJob job = StandInJob.of(folder, 3, 1, "2=exit 1 training failed: out of ideas");
        List<Running> launchers = List.of(job.start(0), job.start(1), job.start(2));

        for (Running launcher : launchers) {
            assertThat(launcher.verdict()).isEqualTo(new Verdict(Kind.Failed, "rank 2: training failed: out of ideas"));
        }
    }

    @Test
    void aStopOfOnePodStopsAll() throws Exception {
        StandInJob job = StandInJob.of(folder, 3, 1, "0=save 800");
        List<Running> launchers = List.of(job.start(0), job.start(1), job.start(2));
        job.ranks();

        launchers.get(2).launcher().stop();

        for (Running launcher : launchers) {
            assertThat(launcher.verdict().kind()).isEqualTo(Kind.Stopped);
        }
    }

    @Test
    void aPodThatIsKilledEndsTheOthers() throws Exception {
        StandInJob job = StandInJob.of(folder, 2, 1, "*=deaf");
        Running first = job.start(0);
        Process second = job.startProcess(1);
        List<ProcessHandle> ranks = job.ranks();

        StandInJob.signal("KILL", second.toHandle());

        assertThat(StandInJob.untilGone(ranks)).isLessThan(SLACK);
        assertThat(first.verdict()).isEqualTo(Verdict.tryAgain("replica 1 is gone"));
    }

    @Test
    void aCutNetworkEndsBothSidesWithinThePeerTimeout() throws Exception {
        StandInJob job = StandInJob.of(folder, 2, 1, "*=deaf");
        try (Cable cable = new Cable(job.port())) {
            Running first = job.start(0);
            Running second = job.start(job.settings(1, cable.port(), Duration.ofMinutes(1)));
            List<ProcessHandle> ranks = job.ranks();

            cable.cut();

            assertThat(StandInJob.untilGone(ranks)).isLessThan(StandInJob.PEER_TIMEOUT.plus(SLACK));
            assertThat(first.verdict()).isEqualTo(Verdict.tryAgain("replica 1 has not answered for 1.7 s"));
            assertThat(second.verdict()).isEqualTo(Verdict.tryAgain("replica 0 has not answered for 1.7 s"));
        }
    }
}
