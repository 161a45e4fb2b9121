package dev.rlvr.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InTurnTest {
    private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

    @TempDir
    private Path folder;

    @Test
    void sidesTakeTurnsInAlternatingOrderAndWarmUpsAreNotCounted() throws IOException {
        Outcome outcome = new InTurn(NOWHERE).run(benchmark("1.0", "1.0"));

        // a warm-up round, then two that count
        assertThat(turns()).isEqualTo("peer ours ours peer peer ours ");
        assertThat(outcome.rounds().get("ours")).hasSize(2);
        assertThat(outcome.with(outcome.benchmark().peers().getFirst())).isPresent();
        assertThat(outcome.disagreeing()).isEmpty();
    }

    @Test
    void aPeerThatDidOtherWorkIsNamed() throws IOException {
        assertThat(new InTurn(NOWHERE).run(benchmark("1.0", "1.1")).disagreeing())
                .containsExactly("peer");
    }

    @Test
    void aPeerWhoseResultIsNotANumberIsNamed() throws IOException {
        assertThat(new InTurn(NOWHERE).run(benchmark("1.0", "NaN")).disagreeing())
                .contains("peer");
    }

    @Test
    void whatOursCannotDoIsSaidAndNotMeasured() throws IOException {
        Outcome outcome = new InTurn(NOWHERE).run(benchmark("", "1.0"));

        assertThat(outcome.unavailable()).containsEntry("ours", "no such thing");
        assertThat(folder.resolve("turns")).doesNotExist();
    }

    @Test
    void aSideThatDiesIsAnErrorThatSaysWhatItSaid() {
        Benchmark benchmark = benchmark("not a number", "1.0");

        assertThatThrownBy(() -> new InTurn(NOWHERE).run(benchmark))
                .hasMessageContaining("ours ended before it answered")
                .hasMessageContaining("NumberFormatException");
    }

    @Test
    void theTableShowsRatiosAndAnOlderResultStaysUntilItIsMeasuredAgain() throws IOException {
        Machine machine = new Machine("Some CPU", 2, 1e9, "Linux", "25", "abc", List.of());
        Outcome outcome = new InTurn(NOWHERE).run(benchmark("1.0", "1.0"));
        Path json = folder.resolve("benchmarks.json");
        Path page = folder.resolve("benchmarks.md");

        Report report = Report.of(json);
        report.add(outcome, machine, 1, LocalDate.of(2026, 1, 2));
        report.write(json, page);
        String table = Report.of(json).table();

        assertThat(table)
                .contains("| echo-small | peer |")
                .contains("2026-01-02, Some CPU with 2 cores, 1 thread(s), 2 rounds");
        assertThat(Files.readString(page)).contains(table);
    }

    private Benchmark benchmark(String oursCheck, String peerCheck) {
        return new Benchmark(
                "echo-small",
                "Echo",
                1,
                "calls",
                "peak",
                1e-3,
                1,
                2,
                side("ours", oursCheck),
                List.of(side("peer", peerCheck)));
    }

    private Contestant side(String name, String check) {
        List<String> arguments =
                new java.util.ArrayList<>(List.of(name, folder.resolve("turns").toString()));
        if (!check.isEmpty()) {
            arguments.add(check);
        }
        ProcessBuilder java = new Sides(folder, 1).java(EchoSide.class.getName(), arguments);
        return new ChildSide(name, java, folder.resolve(name + ".log"));
    }

    private String turns() throws IOException {
        return Files.readString(folder.resolve("turns"));
    }
}
