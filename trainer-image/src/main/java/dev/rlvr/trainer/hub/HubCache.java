package dev.rlvr.trainer.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.ModelFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was downloaded of hubs: {@code CACHE/ORG--NAME/COMMIT/PATH}, {@code CACHE/datasets--ORG--NAME/COMMIT/PATH}. Beside a commit's folder
 * {@code COMMIT.json} lists the files that the repository has there; {@code revisions/} says what branches and tags were when they were last asked for.
 */
public final class HubCache {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path root;

    HubCache(Path root) {
        this.root = root;
    }

    /** The cache in {@code RLVR_HUB_CACHE}. */
    public static HubCache of(Map<String, String> environment) {
        return new HubCache(Path.of(environment.getOrDefault(
                "RLVR_HUB_CACHE", environment.getOrDefault("HOME", ".") + "/.cache/rlvr/hub")));
    }

    /** Where a repository's commits are. */
    Path home(Repository repository) {
        return root.resolve(repository.folder());
    }

    Path folder(Repository repository, String commit) {
        return home(repository).resolve(commit);
    }

    /**
     * The folder of a model, if all of it is here.
     *
     * @throws UncheckedIOException if the cache cannot be read
     */
    public Optional<Path> model(Repository repository, String commit) {
        return listing(repository, commit)
                .filter(listing -> wanted(listing).stream().allMatch(entry -> has(repository, commit, entry)))
                .map(_ -> folder(repository, commit));
    }

    /** A file, if it is here. */
    public Optional<Path> file(Repository repository, String commit, String name) {
        return listing(repository, commit)
                .flatMap(listing -> listing.entry(name))
                .filter(entry -> has(repository, commit, entry))
                .map(_ -> folder(repository, commit).resolve(name));
    }

    /** What is needed of a model: what describes it, then its weights. */
    static List<Listing.Entry> wanted(Listing listing) {
        return listing.entries().stream()
                .filter(entry -> ModelFolder.describes(entry.name()) || ModelFolder.isWeights(entry.name()))
                .toList();
    }

    /** A file that was cut short since it was downloaded is not here. */
    boolean has(Repository repository, String commit, Listing.Entry entry) {
        Path file = folder(repository, commit).resolve(entry.name());
        try {
            return Files.isRegularFile(file) && (entry.bytes() == Listing.UNKNOWN || Files.size(file) == entry.bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The files of a commit that was asked for before; a commit does not change. */
    Optional<Listing> listing(Repository repository, String commit) {
        Path file = home(repository).resolve(commit + ".json");
        try {
            return Files.exists(file) ? Optional.of(Listing.of(JSON.readTree(file.toFile()))) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void keep(Repository repository, Listing listing) throws IOException {
        replace(home(repository).resolve(listing.commit() + ".json"), JSON.writeValueAsString(listing.json()));
    }

    /** What a branch or tag was when it was last asked for. */
    Optional<String> commit(Repository repository, String revision) {
        Path file = revision(repository, revision);
        try {
            return Files.exists(file) ? Optional.of(Files.readString(file)) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void remember(Repository repository, String revision, String commit) throws IOException {
        replace(revision(repository, revision), commit);
    }

    private Path revision(Repository repository, String revision) {
        return home(repository).resolve("revisions").resolve(URLEncoder.encode(revision, StandardCharsets.UTF_8));
    }

    private static void replace(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Path next = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".next");
        Files.writeString(next, text);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Keeps other processes from downloading the same repository until closed. */
    Exclusive lock(Repository repository) throws IOException {
        return Exclusive.of(home(repository).resolve(".lock"), "downloads " + repository);
    }

    /**
     * Requires room for more bytes.
     *
     * @param what takes them, for the message
     * @throws InputException if there is too little
     */
    void requireRoom(String what, long bytes, Path folder) throws IOException {
        long usable = Files.getFileStore(folder).getUsableSpace();
        if (usable < bytes) {
            throw new InputException(
                    "%s: %,d MB are still to be downloaded, but %s has only %,d MB left; make the volume larger (spec.checkpoint.volume.size), or name another one (spec.hubCache, RLVR_HUB_CACHE)"
                            .formatted(what, bytes / 1_000_000, root, usable / 1_000_000));
        }
    }
}
