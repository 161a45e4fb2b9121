package dev.rlvr.cli.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.TarImage;
import dev.rlvr.cli.image.ImageContents.Layer;
import dev.rlvr.cli.local.UserException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real tars, on a base image without files. */
class ImageTarTest {
    private static final Revision REVISION = new Revision(
            "1.2.3",
            Optional.of("abc123"),
            Instant.parse("2026-01-01T00:00:00Z"),
            Optional.of("https://git.example/rlvr"));

    @TempDir
    Path folder;

    @BeforeEach
    void makeABase() throws Exception {
        Jib.fromScratch()
                .addEnvironmentVariable("PATH", "/opt/java/bin")
                .containerize(Containerizer.to(TarImage.at(base()).named("base"))
                        .setBaseImageLayersCache(folder.resolve("scratch"))
                        .setApplicationLayersCache(folder.resolve("scratch")));
    }

    @Test
    void theSameFilesGiveTheSameBytesWhereverAndWheneverTheyLie() throws Exception {
        Path first = write("first", Instant.parse("2025-01-01T00:00:00Z"));
        Path second = write("second", Instant.parse("2026-06-01T12:34:56Z"));

        assertThat(second).hasSameBinaryContentAs(first);
    }

    @Test
    void itRunsAsNobodyAndSaysWhatItIsBuiltFrom() throws Exception {
        Path tar = write("one", Instant.EPOCH);

        JsonNode config = json(tar, "config.json");
        assertThat(config.at("/config/User").asText()).isEqualTo("65532:65532");
        assertThat(config.at("/config/Entrypoint"))
                .extracting(JsonNode::asText)
                .containsExactly("java", "@/opt/rlvr/x.args");
        assertThat(config.at("/config/Env"))
                .extracting(JsonNode::asText)
                .containsExactly("PATH=/opt/java/bin", "PYTORCH_FLAVOR=cpu");
        assertThat(config.at("/created").asText()).isEqualTo("2026-01-01T00:00:00Z");
        assertThat(labels(config))
                .containsEntry("org.opencontainers.image.version", "1.2.3")
                .containsEntry("org.opencontainers.image.revision", "abc123")
                .containsEntry("org.opencontainers.image.source", "https://git.example/rlvr")
                .containsEntry("org.opencontainers.image.base.name", "base.tar");
        assertThat(json(tar, "manifest.json").at("/0/RepoTags"))
                .extracting(JsonNode::asText)
                .containsExactlyInAnyOrder("registry.example/ml/x:latest", "registry.example/ml/x:1.2.3");
    }

    @Test
    void filesAreReadableByAllAndOwnedByRoot() throws Exception {
        Path tar = write("one", Instant.EPOCH);

        List<String> files = new ArrayList<>();
        for (JsonNode layer : json(tar, "manifest.json").at("/0/Layers")) {
            entries(tar, layer.asText())
                    .forEach(entry -> files.add(
                            "%s %o %d".formatted(entry.getName(), entry.getMode() & 0777, entry.getLongUserId())));
        }
        assertThat(files).contains("opt/rlvr/lib/a.jar 644 0", "opt/rlvr/app/b.jar 644 0", "opt/rlvr/lib/ 755 0");
    }

    @Test
    void aFolderOfThemIsReadableByAllToo() throws Exception {
        Path mine = Files.writeString(folder.resolve("mine"), "a");
        Files.setPosixFilePermissions(mine, PosixFilePermissions.fromString("rw-------"));
        new ImageContents(
                        "x",
                        "An example",
                        List.of(new Layer("jars", new TreeMap<>(Map.of("/opt/rlvr/lib/a.jar", mine)))),
                        List.of(),
                        new TreeMap<>(),
                        new TreeSet<>())
                .copyTo(folder.resolve("root"));

        assertThat(Files.getPosixFilePermissions(folder.resolve("root/opt/rlvr/lib/a.jar")))
                .isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
    }

    @Test
    void aBaseThatIsNeitherAFileNorANameIsRefused() {
        assertThatThrownBy(() -> BaseImage.of("missing.tar"))
                .isInstanceOf(UserException.class)
                .hasMessage("--base: there is no file missing.tar");
        assertThatThrownBy(() -> BaseImage.of("Not A Name"))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("neither a file nor the name of an image");
        assertThat(BaseImage.of("registry.example/jre:25").name()).isEqualTo("registry.example/jre:25");
    }

    private Path base() {
        return folder.resolve("base.tar");
    }

    /** An image of files in a folder of that name, with a cache of its own. */
    private Path write(String name, Instant modified) throws IOException, InterruptedException {
        Path files = Files.createDirectories(folder.resolve(name));
        Path a = Files.writeString(files.resolve("a"), "a");
        Path b = Files.writeString(files.resolve("b"), "b");
        for (Path file : List.of(a, b)) {
            Files.setLastModifiedTime(file, FileTime.from(modified));
        }
        ImageContents contents = new ImageContents(
                "x",
                "An example",
                List.of(
                        new Layer("jars", new TreeMap<>(Map.of("/opt/rlvr/lib/a.jar", a))),
                        new Layer("app", new TreeMap<>(Map.of("/opt/rlvr/app/b.jar", b)))),
                List.of("@/opt/rlvr/x.args"),
                new TreeMap<>(Map.of("PYTORCH_FLAVOR", "cpu")),
                new TreeSet<>());
        Path tar = files.resolve("x.tar");
        new ImageTar(
                        BaseImage.of(base().toString()),
                        REVISION,
                        "registry.example/ml/",
                        files.resolve("cache"),
                        warning -> assertThat(warning).isEmpty())
                .write(contents, tar);
        return tar;
    }

    private static Map<String, String> labels(JsonNode config) {
        Map<String, String> labels = new TreeMap<>();
        config.at("/config/Labels")
                .properties()
                .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
        return labels;
    }

    private static JsonNode json(Path tar, String name) throws IOException {
        try (TarArchiveInputStream in = entry(tar, name)) {
            return new ObjectMapper().readTree(in.readAllBytes());
        }
    }

    private static List<TarArchiveEntry> entries(Path tar, String layer) throws IOException {
        List<TarArchiveEntry> entries = new ArrayList<>();
        try (InputStream packed = entry(tar, layer);
                TarArchiveInputStream in = new TarArchiveInputStream(new GzipCompressorInputStream(packed))) {
            TarArchiveEntry next = in.getNextEntry();
            while (next != null) {
                entries.add(next);
                next = in.getNextEntry();
            }
        }
        return entries;
    }

    private static TarArchiveInputStream entry(Path tar, String name) throws IOException {
        TarArchiveInputStream in = new TarArchiveInputStream(Files.newInputStream(tar));
        TarArchiveEntry next = in.getNextEntry();
        while (next != null && !next.getName().equals(name)) {
            next = in.getNextEntry();
        }
        assertThat(next).as("%s in %s", name, tar).isNotNull();
        return in;
    }
}
