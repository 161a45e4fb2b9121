package dev.rlvr.cli.image;

import dev.rlvr.cli.image.ImageContents.Layer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The operator's image.
 *
 * @param application folder {@code quarkus-app} of its build
 * @param options file with the options that Java is started with, one a line; lines that begin with # are comments
 * @param commit what it was built from, for its metrics and its log
 * @param cache folder for what is written on the way
 */
public record OperatorImage(Path application, Path options, Optional<String> commit, Path cache) {
    private static final String FOLDER = ImageContents.ROOT + "operator/";
    private static final String ARGUMENTS = ImageContents.ROOT + "operator.args";
    private static final int PORT = 8080;

    /** What the image consists of. */
    public ImageContents contents() throws IOException {
        SortedMap<String, Path> libraries = new TreeMap<>();
        SortedMap<String, Path> ours = new TreeMap<>();
        try (Stream<Path> files = Files.walk(application)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String path = application.relativize(file).toString().replace(File.separatorChar, '/');
                boolean foreign = path.startsWith("lib/")
                        && !file.getFileName().toString().startsWith("dev.rlvr.");
                (foreign ? libraries : ours).put(FOLDER + path, file);
            }
        }
        Files.createDirectories(cache);
        ours.put(ARGUMENTS, arguments());
        return new ImageContents(
                "rlvr-operator",
                "Operator for RLVR jobs",
                List.of(new Layer("jars", libraries), new Layer("operator", ours)),
                List.of("@" + ARGUMENTS),
                // sixty threads allocate little: glibc's heap for each few of them would be mostly holes
                new TreeMap<>(Map.of("MALLOC_ARENA_MAX", "2")),
                new TreeSet<>(List.of(PORT)));
    }

    /** What {@code java} is started with. */
    private Path arguments() throws IOException {
        List<String> words = new ArrayList<>(Files.readAllLines(options).stream()
                .filter(line -> !line.startsWith("#"))
                .toList());
        commit.ifPresent(hash -> words.add("-Drlvr.commit=" + hash));
        words.addAll(List.of("-jar", FOLDER + "quarkus-run.jar"));
        return Files.write(cache.resolve("operator.args"), words);
    }
}
