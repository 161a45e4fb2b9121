package dev.rlvr.trainer.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.io.InputStream;
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
import java.util.stream.StreamSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Model folders of a Hugging Face hub, downloaded once into a cache: {@code CACHE/ORG--NAME/COMMIT}. What a download that broke off has is
 * kept and continued; each file is checked against the hash that the hub gives for it.
 */
public final class HuggingFaceHub {
    private static final Logger LOG = LoggerFactory.getLogger(HuggingFaceHub.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CONFIG = "config.json";
    private static final String INDEX = "model.safetensors.index.json";
    private static final Pattern WEIGHTS = Pattern.compile("model(-\\d+-of-\\d+)?\\.safetensors");
    private static final Pattern REPOSITORY = Pattern.compile("[\\w.-]+/[\\w.-]+");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    private final HubFiles files;
    private final URI endpoint;
    private final Path cache;

    HuggingFaceHub(URI endpoint, Optional<String> token, Path cache) {
        this.files = new HubFiles(endpoint, token);
        this.endpoint = endpoint;
        this.cache = cache;
    }

    /** The hub of {@code HF_ENDPOINT}, with the token of {@code HF_TOKEN}, cached in {@code RLVR_HUB_CACHE}. */
    public static HuggingFaceHub of(Map<String, String> environment) {
        String endpoint = environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co");
        try {
            return new HuggingFaceHub(
                    URI.create(endpoint.endsWith("/") ? endpoint : endpoint + "/"),
                    Optional.ofNullable(environment.get("HF_TOKEN")).filter(token -> !token.isBlank()),
                    Path.of(environment.getOrDefault(
                            "RLVR_HUB_CACHE", environment.getOrDefault("HOME", ".") + "/.cache/rlvr/hub")));
        } catch (IllegalArgumentException e) {
            throw new InputException("HF_ENDPOINT: " + endpoint + " is not a URL; correct it or unset it", e);
        }
    }

    /**
     * The folder of a model, from the cache as far as it is there.
     *
     * @param repository {@code ORG/NAME}
     * @param revision branch, tag or commit
     * @throws InputException if the hub has no such model or this trainer does not support it; weights are not fetched then
     * @throws UncheckedIOException if the hub cannot be reached and the cache does not have the revision
     */
    public Path fetch(String repository, String revision) {
        if (!REPOSITORY.matcher(repository).matches()) {
            throw new InputException("hf://" + repository + " does not name a model; write hf://ORG/NAME");
        }
        Path home = cache.resolve(repository.replace("/", "--"));
        Path known = home.resolve("revisions").resolve(encoded(revision));
        try {
            if (COMMIT.matcher(revision).matches() && Files.exists(known)) {
                return home.resolve(revision);
            }
            return fetch(repository, revision, home, known);
        } catch (HubFiles.UnreachableException e) {
            return cached(home, known)
                    .orElseThrow(() -> new UncheckedIOException(
                            e.getMessage()
                                    + "; try again, set HF_ENDPOINT to a hub that can be reached, or name a folder"
                                    + " with file:///",
                            e));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot download hf://" + repository + ": " + e.getMessage(), e);
        }
    }

    private Path fetch(String repository, String revision, Path home, Path known) throws IOException {
        JsonNode listing = listing(repository, revision);
        String commit = listing.path("sha").asText();
        if (!COMMIT.matcher(commit).matches()) {
            throw new IOException("the hub names no commit of " + repository + " for " + revision);
        }
        List<String> names = StreamSupport.stream(listing.path("siblings").spliterator(), false)
                .map(file -> file.path("rfilename").asText())
                .toList();
        if (names.stream().noneMatch(name -> WEIGHTS.matcher(name).matches())) {
            throw new InputException("hf://" + repository + " at " + revision
                    + " has no model.safetensors; only safetensors weights are supported");
        }
        Path folder = Files.createDirectories(home.resolve(commit));
        URI base = endpoint.resolve(repository + "/resolve/" + commit + "/");
        for (String name : names) {
            if (name.equals(CONFIG) || name.equals(INDEX) || ModelFolder.COMPANIONS.contains(name)) {
                files.fetch(base.resolve(name), folder.resolve(name));
            }
        }
        ModelConfig.read(folder); // refuses what is not supported before gigabytes are on their way
        for (String name : names) {
            if (WEIGHTS.matcher(name).matches()) {
                files.fetch(base.resolve(name), folder.resolve(name));
            }
        }
        remember(known, commit);
        remember(known.resolveSibling(commit), commit);
        return folder;
    }

    private JsonNode listing(String repository, String revision) throws IOException {
        URI address = endpoint.resolve("api/models/" + repository + "/revision/" + encoded(revision));
        try (InputStream body = files.open(address)) {
            return JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw new IOException("the answer of " + address + " is not JSON", e);
        }
    }

    private static void remember(Path known, String commit) throws IOException {
        Files.createDirectories(known.getParent());
        Files.writeString(known, commit);
    }

    /** The commit that a revision was when it was last downloaded completely. */
    private static Optional<Path> cached(Path home, Path known) {
        try {
            if (!Files.exists(known)) {
                return Optional.empty();
            }
            Path folder = home.resolve(Files.readString(known));
            LOG.warn("the hub cannot be reached; using {}", folder);
            return Optional.of(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String encoded(String revision) {
        return URLEncoder.encode(revision, StandardCharsets.UTF_8);
    }
}
