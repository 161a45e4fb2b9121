package dev.rlvr.trainer.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code trainer-status.json}, replaced by rename: a reader never sees half of it. */
public final class StatusFile implements StatusSink {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    /** The file, which need not exist yet; its folder must. */
    public StatusFile(Path file) {
        this.file = file;
    }

    /** The status that was written last; {@link TrainerStatus#NONE} where there is no file. */
    public TrainerStatus read() throws IOException {
        return Files.exists(file) ? JSON.readValue(file.toFile(), TrainerStatus.class) : TrainerStatus.NONE;
    }

    @Override
    public void publish(TrainerStatus status) {
        try {
            Replacement.write(file, JSON.writeValueAsBytes(status));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing is left to write. */
    @Override
    public void close() {}
}
