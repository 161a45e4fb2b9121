package dev.rlvr.trainer.fetch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Notes a commit as if it had downloaded something; fails where the bundled folder has a file {@code no-such-model}. */
public final class Fetch {
    private Fetch() {}

    public static void main(String[] arguments) throws IOException {
        if (Files.exists(Path.of(System.getenv("RLVR_BUNDLED"), "no-such-model"))) {
            Files.writeString(
                    Path.of(System.getenv("RLVR_TERMINATION_LOG")), "spec.model.source: hf://org/tiny does not exist");
            System.exit(2);
        }
        Path noted = Path.of(System.getenv("RLVR_SOURCES"));
        System.err.println(
                "model.safetensors: 10 of 10 MB" + (Files.readString(noted).isBlank() ? "" : ", again"));
        Files.writeString(noted, "{\"hf://org/tiny@main\": \"0123\"}");
    }
}
