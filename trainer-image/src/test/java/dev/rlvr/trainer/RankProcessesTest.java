package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whole jobs of several ranks, each a process under a launcher. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class RankProcessesTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int STEPS = 4;

    @TempDir
    private Path folder;

    private SmallJob job(String name, String trainer) throws IOException {
        return SmallJob.in(folder.resolve(name), STEPS, "", trainer);
    }

    @Test
    void ranksThatAreKilledEndTheAttemptAndTheNextEndsWithTheSameWeights() throws Exception {
        String trainer = ", ranksPerReplica: 2, sharding: Gradients";
        // problems come again, and are shared out by what is known of their answers
        SmallJob undisturbed = job("undisturbed", trainer).withProblems(6);
        assertThat(undisturbed.start().waitFor()).isZero();
        SmallJob killed = job("killed", trainer).withProblems(6);
        Random random = new Random(3);

        for (int kill = 1; kill <= 2; kill++) {
            Process launcher = killed.start();
            killed.waitForSteps(kill, launcher);
            TimeUnit.MILLISECONDS.sleep(random.nextInt(100));
            rank(launcher, kill % 2).destroyForcibly();
            long then = System.nanoTime();
            assertThat(launcher.waitFor()).isEqualTo(75);
            assertThat((System.nanoTime() - then) / 1e9).isLessThan(15);
            assertThat(Files.readString(killed.lastWords())).contains("rank " + kill % 2, "signal 9");
            assertThat(launcher.descendants()).isEmpty();
        }
        assertThat(killed.start().waitFor()).isZero();

        assertThat(killed.finalWeights()).isEqualTo(undisturbed.finalWeights());
        assertThat(killed.metrics()).hasSize(STEPS);
        assertThat(Files.readString(killed.work().resolveSibling("log.txt"))).contains("[rank 0] ");
    }

    @Test
    void aStoppedJobGoesOnWithAnotherNumberOfRanksAndAnotherSharding() throws Exception {
        SmallJob alone = job("alone", "").run();
        SmallJob moved = job("moved", ", ranksPerReplica: 3, sharding: Parameters");

        Process first = moved.start();
        moved.waitForSteps(2, first);
        first.destroy();
        assertThat(first.waitFor()).isEqualTo(75);
        Files.writeString(
                moved.manifest(),
                Files.readString(moved.manifest())
                        .replace(
                                "ranksPerReplica: 3, sharding: Parameters", "ranksPerReplica: 2, sharding: Optimizer"));
        assertThat(moved.start().waitFor()).isZero();

        assertThat(moved.metrics()).hasSize(STEPS);
        for (int step = 0; step < STEPS; step++) {
            for (String metric : List.of("reward", "loss", "grad_norm", "kept_token_fraction", "entropy")) {
                double expected = metric(alone, step, metric);
                assertThat(metric(moved, step, metric))
                        .as("step %d: %s", step, metric)
                        .isCloseTo(expected, within(1e-4 + 1e-3 * Math.abs(expected)));
            }
        }
    }

    private static double metric(SmallJob job, int step, String name) throws IOException {
        return JSON.readTree(job.metrics().get(step)).path(name).asDouble();
    }

    /** A rank's process: the launcher starts them in order. */
    private static ProcessHandle rank(Process launcher, int rank) {
        return launcher.children()
                .sorted(Comparator.comparingLong(ProcessHandle::pid))
                .toList()
                .get(rank);
    }
}
