package dev.rlvr.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The Python peers: pinned, in a folder of their own, and the models that both sides load. */
record Peers(Sides sides) {
    /** The environment is whole once it has the mark of the pins that it was made from. */
    private static final String MARK = "made-from.txt";

    /** Installs what is not there. */
    void install() throws IOException {
        Path folder = sides.checkout().resolve("bench/peers");
        Path requirements = folder.resolve("requirements.txt");
        Path venv = folder.resolve(".venv");
        String pins = Files.readString(requirements)
                + Files.readString(sides.checkout().resolve("e2e/transformers/requirements.txt"));
        Path mark = venv.resolve(MARK);
        if (!Files.exists(mark) || !Files.readString(mark).equals(pins)) {
            System.err.printf("Installing the Python peers into %s (once, 6 GB) ...%n", venv);
            String python = System.getenv().getOrDefault("PYTHON", "python3");
            run(new ProcessBuilder(python, "-m", "venv", "--clear", venv.toString()));
            run(new ProcessBuilder(
                    sides.python().toString(),
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "-r",
                    requirements.toString()));
            Files.writeString(mark, pins);
        }
    }

    /** Writes the models, of random weights. */
    void models() throws IOException {
        Path done = sides.target().resolve("models/done");
        if (!Files.exists(done)) {
            System.err.println("Writing models of random weights (once) ...");
            Files.createDirectories(done.getParent());
            run(sides.python("models.py", List.of(done.getParent().toString())));
            Files.createFile(done);
        }
    }

    private static void run(ProcessBuilder command) throws IOException {
        try {
            int code = command.redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start()
                    .waitFor();
            if (code != 0) {
                throw new IOException(String.join(" ", command.command()) + " failed with code " + code);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
