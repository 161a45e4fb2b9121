package dev.rlvr.cli.local;

import dev.rlvr.crds.TrainerSpec;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A trainer that reads manifest, model and data and says what is wrong with them, before anything starts. */
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

    /** Starts checking the manifest for a work folder that need not exist. */
    public static TrainerCheck start(TrainerProcess trainer, TrainerSpec spec, Path manifest, Path work)
            throws IOException {
        Path lastWords = Files.createTempFile("rlvr-check", ".error");
        ProcessBuilder command = trainer.briefCommand(
                        LocalApplier.threads(spec),
                        List.of(
                                "--job",
                                manifest.toAbsolutePath().toString(),
                                "--work",
                                work.toAbsolutePath().toString(),
                                "--check"))
                .redirectOutput(Redirect.DISCARD);
        command.environment().put("RLVR_TERMINATION_LOG", lastWords.toString());
        return new TrainerCheck(command.start(), lastWords);
    }

    /** Waits for the result. */
    public Result result() throws IOException, InterruptedException {
        try {
            process.getOutputStream().close();
            String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
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
