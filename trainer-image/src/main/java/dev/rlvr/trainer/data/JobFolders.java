package dev.rlvr.trainer.data;

import dev.rlvr.crds.Source;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What other jobs have written: models and checkpoints that {@code job://NAME} sources name.
 *
 * @param prefix of the jobs' work folders, before their names
 */
record JobFolders(Optional<String> prefix) {
    private static final String EXPORT = "model";

    /** Those that begin with {@code RLVR_JOBS}: {@code runs/default-} on this machine, {@code /jobs/} in a pod. */
    static JobFolders of(Map<String, String> environment) {
        return new JobFolders(Optional.ofNullable(environment.get("RLVR_JOBS")));
    }

    /** The model folder that a source names: what the job has exported, else its newest complete checkpoint. */
    Path model(String field, String source) {
        Source parsed = Source.parse(source);
        Path work = work(field, parsed);
        if (parsed.rest().startsWith("checkpoints/")) {
            return describing(field, source, checkpoint(field, source));
        }
        Path export = work.resolve(EXPORT);
        if (Files.isDirectory(export)) {
            return export;
        }
        if (parsed.rest().equals(EXPORT)) {
            throw new InputException(field + ": " + source + " does not exist: the job has not succeeded, or has"
                    + " checkpoint.exportHuggingFace: false; name job://" + parsed.owner()
                    + "/checkpoints/step-NNNNNN");
        }
        return describing(field, source, checkpoint(field, source));
    }

    private static Path describing(String field, String source, Path checkpoint) {
        if (!Files.exists(checkpoint.resolve("config.json"))) {
            throw new InputException(
                    field + ": " + source + ": " + checkpoint + " has no config.json, as checkpoints of"
                            + " older releases have none; name the model that it is of, and this in checkpoint.resumeFrom");
        }
        return checkpoint;
    }

    /** The folder of the checkpoint that a source names; the newest complete one where it names the job alone. */
    Path checkpoint(String field, String source) {
        Source parsed = Source.parse(source);
        Path root = work(field, parsed).resolve("checkpoints");
        try {
            return new Checkpoints(root, 1)
                    .complete().stream()
                            .map(Checkpoints.Saved::folder)
                            .filter(folder -> parsed.rest().isEmpty()
                                    || parsed.rest().equals("checkpoints/" + folder.getFileName()))
                            .findFirst()
                            .orElseThrow(() ->
                                    new InputException(field + ": " + source + ": there is no complete checkpoint "
                                            + (parsed.rest().isEmpty()
                                                    ? "in " + root
                                                    : root.resolveSibling(parsed.rest())
                                                            + "; name one that checkpoint.keep of that job has left")));
        } catch (IOException e) {
            throw new InputException(field + ": " + source + ": cannot read " + root + " (" + e.getMessage() + ")", e);
        }
    }

    private Path work(String field, Source source) {
        Path work = Path.of(prefix.orElseThrow(() -> new InputException(field + ": job://" + source.path()
                        + ": set RLVR_JOBS to what the jobs' work folders begin with, such as runs/default-"))
                + source.owner());
        if (!Files.isDirectory(work)) {
            throw new InputException(field + ": job://" + source.path() + ": there is no folder " + work
                    + "; run that job first, or correct the name");
        }
        return work;
    }
}
