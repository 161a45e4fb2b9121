package dev.rlvr.trainer.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.hub.Repository.Kind;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Downloads of a Hugging Face hub into a {@link HubCache}, once for all processes that share it. What a download that broke off has is kept and
 * continued; each file is checked against the hash that the hub gives for it before it appears under its name.
 */
public final class HuggingFaceHub {
    private static final Logger LOG = LoggerFactory.getLogger(HuggingFaceHub.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern NAME = Pattern.compile("[\\w.-]+/[\\w.-]+");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final int MOST_NAMES = 8;

    private final URI endpoint;
    private final Map<Kind, HubFiles> files;
    private final HubCache cache;

    HuggingFaceHub(URI endpoint, Map<Kind, HubFiles> files, HubCache cache) {
        this.endpoint = endpoint;
        this.files = files;
        this.cache = cache;
    }

    /** The hub of {@code HF_ENDPOINT}, with the tokens of {@code HF_TOKEN} and, for data sets, {@code RLVR_DATA_TOKEN}, before a cache. */
    public static HuggingFaceHub of(Map<String, String> environment, HubCache cache) {
        String address = environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co");
        try {
            URI endpoint = URI.create(address.endsWith("/") ? address : address + "/");
            if (endpoint.getAuthority() == null) {
                throw new IllegalArgumentException("no host");
            }
            Optional<String> token = token(environment, "HF_TOKEN");
            Optional<String> dataToken = token(environment, "RLVR_DATA_TOKEN").or(() -> token);
            return new HuggingFaceHub(
                    endpoint,
                    Map.of(
                            Kind.MODELS, new HubFiles(endpoint, token, HubFiles.Patience.DEFAULT),
                            Kind.DATASETS, new HubFiles(endpoint, dataToken, HubFiles.Patience.DEFAULT)),
                    cache);
        } catch (IllegalArgumentException e) {
            throw new InputException("HF_ENDPOINT: " + address + " is not a URL; correct it or unset it", e);
        }
    }

    private static Optional<String> token(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).filter(token -> !token.isBlank());
    }

    /**
     * The commit that a branch or tag is now; what it was last where the hub cannot be reached.
     *
     * @throws InputException if the hub has no such repository or revision
     * @throws UncheckedIOException if the hub cannot be reached and the revision was never asked for
     */
    public String commit(Repository repository, String revision) {
        if (!NAME.matcher(repository.name()).matches()) {
            throw new InputException(repository + " does not name a repository of a hub; write hf://ORG/NAME");
        }
        if (COMMIT.matcher(revision).matches()) {
            return revision;
        }
        try {
            Listing listing = ask(repository, revision);
            cache.keep(repository, listing);
            cache.remember(repository, revision, listing.commit());
            return listing.commit();
        } catch (HubFiles.UnreachableException e) {
            Optional<String> last = cache.commit(repository, revision);
            last.ifPresent(_ -> LOG.warn("the hub cannot be reached; using {} as it was", repository));
            return last.orElseThrow(() -> unreachable(e));
        } catch (IOException e) {
            throw failed(repository, e);
        }
    }

    private static UncheckedIOException unreachable(HubFiles.UnreachableException e) {
        return new UncheckedIOException(
                e.getMessage()
                        + "; try again, set HF_ENDPOINT to a hub that can be reached, or name a folder with file:///",
                e);
    }

    private static UncheckedIOException failed(Repository repository, IOException e) {
        return new UncheckedIOException("cannot download " + repository + ": " + e.getMessage(), e);
    }

    /**
     * The folder of a model at a commit; what is missing is downloaded.
     *
     * @throws InputException if the hub has no such model or this trainer does not support it; weights are not fetched then
     * @throws UncheckedIOException if it cannot be downloaded
     */
    public Path model(Repository repository, String commit) {
        return cache.model(repository, commit)
                .orElseGet(() -> downloading(repository, () -> {
                    Listing listing = listing(repository, commit);
                    List<Listing.Entry> wanted = HubCache.wanted(listing);
                    if (wanted.stream().noneMatch(entry -> ModelFolder.isWeights(entry.name()))) {
                        throw new InputException(repository + " at " + commit
                                + " has no model.safetensors; only safetensors weights are supported");
                    }
                    Path folder = cache.folder(repository, commit);
                    download(repository, commit, only(wanted, false));
                    ModelConfig.read(folder); // refuses what is not supported before gigabytes are on their way
                    download(repository, commit, only(wanted, true));
                    return folder;
                }));
    }

    private static List<Listing.Entry> only(List<Listing.Entry> wanted, boolean weights) {
        return wanted.stream()
                .filter(entry -> ModelFolder.isWeights(entry.name()) == weights)
                .toList();
    }

    /**
     * A file at a commit; downloaded where it is missing.
     *
     * @throws InputException if the repository has no such file
     * @throws UncheckedIOException if it cannot be downloaded
     */
    public Path file(Repository repository, String commit, String name) {
        return cache.file(repository, commit, name)
                .orElseGet(() -> downloading(repository, () -> {
                    Listing listing = listing(repository, commit);
                    Listing.Entry entry = listing.entry(name)
                            .orElseThrow(() -> new InputException(
                                    "%s has no file %s; it has %s".formatted(repository, name, problemFiles(listing))));
                    download(repository, commit, List.of(entry));
                    return cache.folder(repository, commit).resolve(name);
                }));
    }

    private static String problemFiles(Listing listing) {
        List<String> names = listing.entries().stream()
                .map(Listing.Entry::name)
                .filter(name -> name.endsWith(".jsonl") || name.endsWith(".parquet"))
                .toList();
        return names.isEmpty()
                ? "no .jsonl or .parquet file at all"
                : names.stream().limit(MOST_NAMES).collect(Collectors.joining(", "))
                        + (names.size() > MOST_NAMES ? " and %d more".formatted(names.size() - MOST_NAMES) : "");
    }

    /** One process at a time downloads a repository; the others find it there. */
    private Path downloading(Repository repository, Download download) {
        try (Exclusive _ = cache.lock(repository)) {
            return download.run();
        } catch (HubFiles.UnreachableException e) {
            throw unreachable(e);
        } catch (IOException e) {
            throw failed(repository, e);
        }
    }

    /** What is to be done while no other process downloads. */
    @FunctionalInterface
    private interface Download {
        Path run() throws IOException;
    }

    private Listing listing(Repository repository, String commit) throws IOException {
        Optional<Listing> known = cache.listing(repository, commit);
        if (known.isPresent()) {
            return known.get();
        }
        Listing asked = ask(repository, commit);
        cache.keep(repository, asked);
        return asked;
    }

    private Listing ask(Repository repository, String revision) throws IOException {
        URI address = endpoint.resolve(repository.description(URLEncoder.encode(revision, StandardCharsets.UTF_8)));
        Listing listing;
        try {
            listing = Listing.of(JSON.readTree(files(repository).read(address)));
        } catch (JsonProcessingException e) {
            throw new IOException("the answer of " + address + " is not JSON", e);
        }
        if (!COMMIT.matcher(listing.commit()).matches()) {
            throw new IOException("the hub names no commit of " + repository + " for " + revision);
        }
        return listing;
    }

    private void download(Repository repository, String commit, List<Listing.Entry> wanted) throws IOException {
        Path folder = Files.createDirectories(cache.folder(repository, commit));
        List<Listing.Entry> missing = wanted.stream()
                .filter(entry -> !cache.has(repository, commit, entry))
                .toList();
        long bytes = 0;
        for (Listing.Entry entry : missing) {
            bytes += Math.max(0, entry.bytes() - HubFiles.begun(inside(folder, entry.name())));
        }
        cache.requireRoom(repository.toString(), bytes, folder);
        URI base = endpoint.resolve(repository.files(commit));
        for (Listing.Entry entry : missing) {
            Path target = inside(folder, entry.name());
            if (Files.deleteIfExists(target)) {
                LOG.warn("{} does not have the size that the hub gives for it; it is downloaded again", target);
            }
            files(repository).fetch(base.resolve(encoded(entry.name())), target);
        }
    }

    /** The hub's word is not taken for it that a file lies in its repository. */
    private static Path inside(Path folder, String name) throws IOException {
        Path target = folder.resolve(name).normalize();
        if (!target.startsWith(folder)) {
            throw new IOException("the hub names a file " + name + " outside of its repository");
        }
        Files.createDirectories(target.getParent());
        return target;
    }

    private static String encoded(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("%2F", "/");
    }

    private HubFiles files(Repository repository) {
        return files.get(repository.kind());
    }
}
