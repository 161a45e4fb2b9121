package dev.rlvr.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchedRunsTest {
    @TempDir
    private Path folder;

    @Test
    void aStepLastsFromOneLineToTheNext() throws IOException {
        Round round = runs("sleep 1; echo >>steps; sleep 0.3; echo >>steps; sleep 0.3; echo >>steps; sleep 60")
                .round();

        // without the first step, which warms up
        assertThat(round.seconds()).isBetween(0.25, 0.8);
        assertThat(round.bytes()).isPositive();
    }

    @Test
    void eachRunBeginsInAnEmptyFolder() throws IOException {
        Contestant runs = runs("test ! -e steps && for i in 1 2 3; do echo >>steps; sleep 0.05; done; sleep 60");
        runs.round();

        assertThat(runs.round().seconds()).isPositive();
    }

    @Test
    void aRunThatEndsTooEarlyIsAnError() {
        assertThatThrownBy(() -> runs("echo >>steps; sleep 0.1").round())
                .hasMessageContaining("run ended after 1 of 3 steps");
    }

    @Test
    void whatTheProgramRefusesIsNotAvailable() {
        ProcessBuilder refusing = new ProcessBuilder("sh", "-c", "echo no BF16 yet; exit 2");
        WatchedRuns runs = new WatchedRuns("run", refusing, Optional.of(refusing), folder, "steps", 3);

        assertThatThrownBy(runs::start)
                .isInstanceOf(Contestant.UnavailableException.class)
                .hasMessage("no BF16 yet");
    }

    private Contestant runs(String script) throws IOException {
        Path work = folder.resolve("work");
        ProcessBuilder shell = new ProcessBuilder("sh", "-c", "cd " + work + " && " + script);
        WatchedRuns runs = new WatchedRuns("run", shell, Optional.empty(), work, "steps", 3);
        runs.start();
        return runs;
    }
}
