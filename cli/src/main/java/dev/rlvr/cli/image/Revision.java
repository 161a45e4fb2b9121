package dev.rlvr.cli.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What an image was built from.
 *
 * @param version of the project
 * @param commit that is checked out, with {@code -dirty} if files differ from it; empty outside a Git checkout
 * @param time of the commit, else the epoch: the same for whoever builds
 * @param source where the project comes from, if Git knows
 */
public record Revision(String version, Optional<String> commit, Instant time, Optional<String> source) {
    /** Of the checkout in this folder. */
    public static Revision of(String version, Path checkout) {
        Optional<String> commit = git(checkout, "rev-parse", "HEAD");
        if (commit.isEmpty()) {
            return new Revision(version, commit, Instant.EPOCH, Optional.empty());
        }
        boolean dirty = git(checkout, "status", "--porcelain", "--untracked-files=no")
                .filter(changes -> !changes.isEmpty())
                .isPresent();
        return new Revision(
                version,
                commit.map(hash -> dirty ? hash + "-dirty" : hash),
                git(checkout, "log", "-1", "--format=%cI")
                        .map(time -> OffsetDateTime.parse(time).toInstant())
                        .orElse(Instant.EPOCH),
                git(checkout, "config", "--get", "remote.origin.url").filter(url -> url.startsWith("https://")));
    }

    /** As labels of the OCI image specification. */
    Map<String, String> labels(ImageContents contents, String base) {
        Map<String, String> labels = new TreeMap<>(Map.of(
                "org.opencontainers.image.title",
                contents.title(),
                "org.opencontainers.image.version",
                version,
                "org.opencontainers.image.created",
                time.toString(),
                "org.opencontainers.image.licenses",
                "Apache-2.0",
                "org.opencontainers.image.base.name",
                base));
        commit.ifPresent(hash -> labels.put("org.opencontainers.image.revision", hash));
        source.ifPresent(url -> labels.put("org.opencontainers.image.source", url));
        return labels;
    }

    private static Optional<String> git(Path checkout, String... arguments) {
        List<String> command = new ArrayList<>(List.of("git", "-C", checkout.toString()));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? Optional.of(out) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // no git here
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
