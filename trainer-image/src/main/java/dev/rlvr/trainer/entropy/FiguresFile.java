package dev.rlvr.trainer.entropy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.InputException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The output: a line per text, under a name of its own until {@link #commit}, so that the file is complete or absent. */
final class FiguresFile implements AutoCloseable {
    private final Path target;
    private final Path partial;
    private final JsonGenerator json;

    /**
     * Starts the file beside its place.
     *
     * @throws InputException if nothing can be written there
     */
    FiguresFile(Path target) {
        this.target = target;
        this.partial = target.resolveSibling(target.getFileName() + ".partial");
        if (Files.isDirectory(target)) {
            throw new InputException("--output: " + target + " is a folder; name a file in it");
        }
        try {
            this.json = new JsonFactory(new ObjectMapper())
                    .createGenerator(new BufferedOutputStream(Files.newOutputStream(partial)));
        } catch (IOException e) {
            throw new InputException(
                    "--output: cannot write to " + target + "; give a file in a folder that exists", e);
        }
        json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
    }

    /** Adds a line. */
    void write(Text text, Figures figures) throws IOException {
        json.writeStartObject();
        json.writePOJOField("id", text.id());
        json.writeArrayFieldStart("token_ids");
        for (int token : text.tokens()) {
            json.writeNumber(token);
        }
        json.writeEndArray();
        write("logprobs", text, figures.logProbabilities());
        write("entropies", text, figures.entropies());
        json.writeEndObject();
    }

    /** As many entries as tokens: null for the first, which was drawn from nothing. */
    private void write(String name, Text text, float[] values) throws IOException {
        json.writeArrayFieldStart(name);
        if (text.length() > 0) {
            json.writeNull();
        }
        for (float value : values) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }

    /** Puts the complete file in its place; an older one is replaced. */
    void commit() throws IOException {
        json.writeRaw('\n');
        json.close();
        Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        json.close();
        Files.deleteIfExists(partial);
    }
}
