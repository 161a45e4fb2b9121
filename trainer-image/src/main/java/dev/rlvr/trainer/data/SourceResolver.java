package dev.rlvr.trainer.data;

import dev.rlvr.crds.ModelSpec;
import dev.rlvr.crds.Source;
import dev.rlvr.crds.Source.Scheme;
import dev.rlvr.trainer.InputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Finds the file or folder that a source names. */
public final class SourceResolver {
    private static final Path CLAIMS = Path.of("/pvc");

    private final Optional<Path> bundled;
    private final Path claims;
    private final HubSources hub;
    private final JobFolders jobs;

    /**
     * A resolver over the given folders.
     *
     * @param bundled folder of {@code bundled://} sources, if there is one
     * @param claims folder that holds each mounted claim under its name
     * @param hub where {@code hf://} sources are
     * @param jobs where other jobs' work folders are
     */
    SourceResolver(Optional<Path> bundled, Path claims, HubSources hub, JobFolders jobs) {
        this.bundled = bundled;
        this.claims = claims;
        this.hub = hub;
        this.jobs = jobs;
    }

    /** The folders of this process: {@code RLVR_BUNDLED}, {@code RLVR_JOBS}, the hub's cache, and {@code /pvc/CLAIM} as the operator mounts claims. */
    public static SourceResolver of(Map<String, String> environment) {
        return new SourceResolver(
                Optional.ofNullable(environment.get("RLVR_BUNDLED")).map(Path::of),
                CLAIMS,
                HubSources.of(environment),
                JobFolders.of(environment));
    }

    /**
     * The folder of {@code spec.model}; one of the hub is downloaded unless it is cached.
     *
     * @throws InputException if there is no such folder or model
     */
    public Path model(ModelSpec model) {
        String field = "spec.model.source";
        Source source = parse(field, model.source());
        return switch (source.scheme()) {
            case HF ->
                named(field, () -> hub.model(source.path(), model.revision() == null ? "main" : model.revision()));
            case JOB -> jobs.model(field, model.source());
            case FILE, BUNDLED, PVC -> resolve(field, model.source());
        };
    }

    /**
     * A file of problems; one of a hub is downloaded unless it is cached.
     *
     * @param field the field that names the source, for messages: {@code spec.data.source}
     * @throws InputException if there is no such file
     */
    public Path problems(String field, String source) {
        Source parsed = parse(field, source);
        if (parsed.scheme() != Scheme.HF) {
            return resolve(field, source);
        }
        Source.Dataset file = parsed.dataset()
                .orElseThrow(() -> new InputException(
                        field + ": " + source + " names no file; write hf://datasets/ORG/NAME/PATH"));
        return named(field, () -> hub.file(file));
    }

    /**
     * The folder of a checkpoint.
     *
     * @throws InputException if there is none
     */
    public Path checkpoint(String field, String source) {
        return parse(field, source).scheme() == Scheme.JOB ? jobs.checkpoint(field, source) : resolve(field, source);
    }

    private static Path named(String field, Supplier<Path> found) {
        try {
            return found.get();
        } catch (InputException e) {
            throw new InputException(field + ": " + e.getMessage(), e);
        }
    }

    private static Source parse(String field, String source) {
        try {
            return Source.parse(source);
        } catch (IllegalArgumentException e) {
            throw new InputException(field + ": " + e.getMessage(), e);
        }
    }

    private Path resolve(String field, String source) {
        Path path = locate(field, source);
        if (!Files.exists(path)) {
            throw new InputException(field + ": " + source + " does not exist; correct it or put something at " + path);
        }
        return path;
    }

    private Path locate(String field, String source) {
        Source parsed = parse(field, source);
        try {
            return switch (parsed.scheme()) {
                case FILE -> Path.of(parsed.path());
                case BUNDLED -> under(bundledFolder(field, source), field, source, parsed.path());
                case PVC -> under(claims, field, source, parsed.path());
                case HF, JOB -> throw new InputException(field + ": " + source + " is not possible here");
            };
        } catch (InvalidPathException e) {
            throw new InputException(field + ": " + source + " is not a path: " + e.getReason(), e);
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
