package dev.rlvr.trainer.data;

import dev.rlvr.crds.ModelSpec;
import dev.rlvr.crds.Source;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.HuggingFaceHub;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Finds the file or folder that a source names. */
public final class SourceResolver {
    private static final Path CLAIMS = Path.of("/pvc");

    private final Optional<Path> bundled;
    private final Path claims;
    private final HuggingFaceHub hub;

    /**
     * A resolver over the given folders.
     *
     * @param bundled folder of {@code bundled://} sources, if there is one
     * @param claims folder that holds each mounted claim under its name
     * @param hub where {@code hf://} models come from
     */
    SourceResolver(Optional<Path> bundled, Path claims, HuggingFaceHub hub) {
        this.bundled = bundled;
        this.claims = claims;
        this.hub = hub;
    }

    /** The folders of this process: {@code RLVR_BUNDLED}, and {@code /pvc/CLAIM} as the operator mounts claims. */
    public static SourceResolver of(Map<String, String> environment) {
        return new SourceResolver(
                Optional.ofNullable(environment.get("RLVR_BUNDLED")).map(Path::of),
                CLAIMS,
                HuggingFaceHub.of(environment));
    }

    /**
     * The folder of {@code spec.model}; one of the hub is downloaded unless it is cached.
     *
     * @throws InputException if there is no such folder or model
     */
    public Path model(ModelSpec model) {
        Source source = Source.parse(model.source());
        if (source.scheme() != Source.Scheme.HF) {
            return resolve("spec.model.source", model.source());
        }
        try {
            return hub.fetch(source.path(), model.revision() == null ? "main" : model.revision());
        } catch (InputException e) {
            throw new InputException("spec.model.source: " + e.getMessage(), e);
        }
    }

    /**
     * The path of an existing file or folder.
     *
     * @param field the field that names the source, for messages: {@code spec.data.source}
     * @throws InputException if there is no such path, or the scheme is not in this release
     */
    public Path resolve(String field, String source) {
        Path path = locate(field, source);
        if (!Files.exists(path)) {
            throw new InputException(field + ": " + source + " does not exist; correct it or put something at " + path);
        }
        return path;
    }

    private Path locate(String field, String source) {
        try {
            Source parsed = Source.parse(source);
            return switch (parsed.scheme()) {
                case FILE -> Path.of(parsed.path());
                case BUNDLED -> under(bundledFolder(field, source), field, source, parsed.path());
                case PVC -> under(claims, field, source, parsed.path());
                case HF ->
                    throw new InputException(field + ": " + source
                            + ": only a model may be hf://; download it and name it" + " with file:/// or pvc://");
            };
        } catch (InvalidPathException e) {
            throw new InputException(field + ": " + source + " is not a path: " + e.getReason(), e);
        } catch (IllegalArgumentException e) {
            throw new InputException(field + ": " + e.getMessage(), e);
        }
    }

    private Path bundledFolder(String field, String source) {
        return bundled.orElseThrow(() -> new InputException(field + ": " + source
                + ": set RLVR_BUNDLED to the folder of bundled sources (examples/ of a checkout)"));
    }

    private static Path under(Path folder, String field, String source, String path) {
        Path root = folder.normalize();
        Path inside = root.resolve(path).normalize();
        if (!inside.startsWith(root)) {
            throw new InputException(field + ": " + source + " leads out of its folder; leave out the '..'");
        }
        return inside;
    }
}
