package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real trainer processes that are killed and stopped. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class KilledRunTest {
    private static final int KILLS = 20;
    private static final int STEPS = 16;

    @TempDir
    private Path folder;

    @Test
    void aRunKilledAtTwentyRandomMomentsEndsWithTheWeightsOfOneThatWasNot() throws Exception {
        SmallJob undisturbed = SmallJob.in(folder.resolve("undisturbed"), STEPS, "", "");
        assertThat(start(undisturbed).waitFor()).isZero();

        SmallJob killed = SmallJob.in(folder.resolve("killed"), STEPS, "", "");
        Random random = new Random(7);
        int steps = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process trainer = start(killed);
            // half of the kills come while it loads, half around the end of a step, when files are written
            if (random.nextBoolean()) {
                sleep(random.nextInt(1500));
            } else {
                waitForSteps(killed, Math.min(steps + 1, STEPS), trainer);
                sleep(random.nextInt(60));
            }
            trainer.destroyForcibly().waitFor();
            List<String> lines = killed.metrics();
            assertThat(lines.size()).as("what was written stays readable").isGreaterThanOrEqualTo(steps - 1);
            steps = lines.size();
        }
        assertThat(start(killed).waitFor()).isZero();

        assertThat(killed.finalWeights()).isEqualTo(undisturbed.finalWeights());
        assertThat(killed.metrics()).hasSize(STEPS);
    }

    @Test
    void aStoppedRunSavesItsStateExitsWith75AndGoesOn() throws Exception {
        SmallJob undisturbed =
                SmallJob.in(folder.resolve("undisturbed"), 6, "", "").run();
        SmallJob stopped = SmallJob.in(folder.resolve("stopped"), 6, "", "");

        Process first = start(stopped);
        waitForSteps(stopped, 2, first);
        first.destroy();
        assertThat(first.waitFor()).isEqualTo(75);

        Process second = start(stopped);
        waitForSteps(stopped, 4, second);
        second.getOutputStream().close();
        assertThat(second.waitFor()).isEqualTo(75);

        assertThat(start(stopped).waitFor()).isZero();
        assertThat(stopped.finalWeights()).isEqualTo(undisturbed.finalWeights());
    }

    private static void waitForSteps(SmallJob job, int steps, Process trainer) throws Exception {
        while (trainer.isAlive() && job.metrics().size() < steps) {
            sleep(5);
        }
    }

    private static void sleep(int milliseconds) throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(milliseconds);
    }

    private static Process start(SmallJob job) throws IOException {
        Files.createDirectories(job.work());
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-Dai.djl.offline=true",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "dev.rlvr.trainer.Main",
                "--job",
                job.manifest().toString(),
                "--work",
                job.work().toString());
        builder.environment().put("RLVR_BUNDLED", SmallJob.BUNDLED.toString());
        builder.environment().put("RLVR_WATCH_STDIN", "true");
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(
                job.work().resolveSibling("log.txt").toFile()));
        return builder.start();
    }
}
