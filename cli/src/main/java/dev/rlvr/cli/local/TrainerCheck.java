package dev.rlvr.cli.local;

import dev.rlvr.crds.TrainerSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** A process of the trainer's that says what is wrong with manifest, model and data before anything starts: a download of sources, or a check. */
public final class TrainerCheck {
    /**
     * How the check ended.
     *
     * @param exitCode that of the trainer: 0 all is well, 2 the user's input is wrong
     * @param message its error line; where it left none, everything it wrote on standard error
     */
    public record Result(int exitCode, String message) {}

    private final Process process;
    private final Path lastWords;

    private TrainerCheck(Process process, Path lastWords) {
        this.process = process;
        this.lastWords = lastWords;
    }

    /** Starts downloading what the manifest's hf:// sources name. */
    public static TrainerCheck fetch(TrainerProcess trainer, Path manifest) throws IOException {
        return start(trainer.command(
                TrainerProcess.FETCH,
                1,
                List.of("--job", manifest.toAbsolutePath().toString())));
    }

    /** Starts checking the manifest for a work folder that need not exist. */
    public static TrainerCheck start(TrainerProcess trainer, TrainerSpec spec, Path manifest, Path work)
            throws IOException {
        return start(trainer.briefCommand(
                LocalApplier.threads(spec),
                List.of(
                        "--job",
                        manifest.toAbsolutePath().toString(),
                        "--work",
                        work.toAbsolutePath().toString(),
                        "--check")));
    }

    private static TrainerCheck start(ProcessBuilder command) throws IOException {
        Path lastWords = Files.createTempFile("rlvr-check", ".error");
        command.redirectOutput(Redirect.DISCARD);
        command.environment().put("RLVR_TERMINATION_LOG", lastWords.toString());
        return new TrainerCheck(command.start(), lastWords);
    }

    /** Waits for the result. */
    public Result result() throws IOException, InterruptedException {
        return result(_ -> {});
    }

    /** Waits for the result; tells each line that the process writes meanwhile. */
    public Result result(Consumer<String> told) throws IOException, InterruptedException {
        try (BufferedReader lines = process.errorReader(StandardCharsets.UTF_8)) {
            process.getOutputStream().close();
            String errors = lines.lines().peek(told).collect(Collectors.joining("\n"));
            int exitCode = process.waitFor();
            String words = Files.readString(lastWords).strip();
            return new Result(exitCode, words.isEmpty() ? errors.strip() : words);
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(lastWords);
        }
    }

    /** Gives up. */
    public void stop() {
        process.destroyForcibly();
    }
}
