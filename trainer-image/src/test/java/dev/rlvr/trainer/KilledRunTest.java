package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real trainer processes that are killed and stopped. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class KilledRunTest {
    private static final int KILLS = 20;
    private static final int STEPS = 16;

    @TempDir
    private Path folder;

    @Test
    void aRunKilledAtTwentyRandomMomentsEndsWithTheWeightsOfOneThatWasNot() throws Exception {
        SmallJob undisturbed = SmallJob.in(folder.resolve("undisturbed"), STEPS, "", "");
        assertThat(undisturbed.start().waitFor()).isZero();

        SmallJob killed = SmallJob.in(folder.resolve("killed"), STEPS, "", "");
        Random random = new Random(7);
        int steps = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process trainer = killed.start();
            // half of the kills come while it loads, half around the end of a step, when files are written
            if (random.nextBoolean()) {
                TimeUnit.MILLISECONDS.sleep(random.nextInt(1500));
            } else {
                killed.waitForSteps(Math.min(steps + 1, STEPS), trainer);
                TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
            }
            trainer.destroyForcibly().waitFor();
            List<String> lines = killed.metrics();
            assertThat(lines.size()).as("what was written stays readable").isGreaterThanOrEqualTo(steps - 1);
            steps = lines.size();
        }
        assertThat(killed.start().waitFor()).isZero();

        assertThat(killed.finalWeights()).isEqualTo(undisturbed.finalWeights());
        assertThat(killed.metrics()).hasSize(STEPS);
    }

    @Test
    void aStoppedRunSavesItsStateExitsWith75AndGoesOn() throws Exception {
        SmallJob undisturbed =
                SmallJob.in(folder.resolve("undisturbed"), 6, "", "").run();
        SmallJob stopped = SmallJob.in(folder.resolve("stopped"), 6, "", "");

        Process first = stopped.start();
        stopped.waitForSteps(2, first);
        first.destroy();
        assertThat(first.waitFor()).isEqualTo(75);

        Process second = stopped.start();
        stopped.waitForSteps(4, second);
        second.getOutputStream().close();
        assertThat(second.waitFor()).isEqualTo(75);

        assertThat(stopped.start().waitFor()).isZero();
        assertThat(stopped.finalWeights()).isEqualTo(undisturbed.finalWeights());
    }
}
