package dev.rlvr.trainer.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The commits that a job's sources were when it first asked. All its attempts, pods and servers use these, whatever branches have become since:
 * {@code {"hf://ORG/NAME@main": "COMMIT"}}.
 */
public final class Pins {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final Path file;
    private final Map<String, String> commits;

    private Pins(Path file, Map<String, String> commits) {
        this.file = file;
        this.commits = commits;
    }

    /** Those of a file; none where it is absent or empty. */
    public static Pins read(Path file) throws IOException {
        try {
            String text = Files.readString(file);
            return new Pins(
                    file,
                    text.isBlank()
                            ? new TreeMap<>()
                            : JSON.readValue(text, new TypeReference<TreeMap<String, String>>() {}));
        } catch (NoSuchFileException e) {
            return new Pins(file, new TreeMap<>());
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is damaged; remove it", e);
        }
    }

    /** The commit of a repository's branch or tag. */
    public Optional<String> commit(Repository repository, String revision) {
        return Optional.ofNullable(commits.get(repository + "@" + revision));
    }

    /** Adds one to the file; the file appears whole. */
    public void pin(Repository repository, String revision, String commit) throws IOException {
        commits.put(repository + "@" + revision, commit);
        Path next = file.resolveSibling(file.getFileName() + ".partial");
        Files.write(next, JSON.writeValueAsBytes(commits));
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
