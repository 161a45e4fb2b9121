package dev.rlvr.trainer;

import dev.rlvr.crds.DataSpec;
import dev.rlvr.crds.EvaluationSpec;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.ManifestException;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.Release;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import dev.rlvr.trainer.data.Problem;
import dev.rlvr.trainer.data.ProblemFile;
import dev.rlvr.trainer.data.SourceResolver;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.reward.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Everything that a job reads, checked as far as that is possible before the first weight is loaded.
 *
 * @param job the manifest with its defaults
 * @param model the base model's folder
 * @param resume checkpoint folder whose weights take the place of the base model's
 * @param problems to train on
 * @param evaluations held-out sets
 * @param verifier what verifies answers
 */
record Inputs(
        RLVRJob job,
        ModelFolder model,
        Optional<Checkpoints.Saved> resume,
        List<Problem> problems,
        List<HeldOut> evaluations,
        Verifier verifier) {
    /** Weights, first and second moments in F32. */
    private static final int BYTES_PER_PARAMETER = 12;

    /** A held-out set and its problems. */
    record HeldOut(EvaluationSpec spec, List<Problem> problems) {}

    /**
     * Reads and checks.
     *
     * @throws InputException with one line per problem
     */
    static Inputs read(Path manifest, Path work, SourceResolver sources) {
        RLVRJob job;
        try {
            job = Manifest.read(manifest);
        } catch (ManifestException e) {
            throw new InputException(e.getMessage(), e);
        }
        RLVRJobSpec spec = job.getSpec();
        List<String> unsupported = Release.unsupported(spec);
        if (!unsupported.isEmpty()) {
            throw new InputException(String.join("\n", unsupported));
        }
        ModelFolder model = ModelFolder.open(
                sources.resolve("spec.model.source", spec.model().source()));
        requireRoomForSequences(spec, model);
        Verifier verifier = Verifier.of(spec.reward());
        List<Problem> problems =
                problems("spec.data.source", spec.data(), spec.data().source(), sources, verifier);
        List<HeldOut> evaluations = new ArrayList<>();
        for (EvaluationSpec evaluation : evaluations(spec)) {
            evaluations.add(heldOut(evaluation, spec, sources, verifier));
        }
        Optional<Checkpoints.Saved> resume =
                Optional.ofNullable(spec.checkpoint().resumeFrom()).map(source -> checkpoint(source, sources));
        requireWritable(work);
        requireDisk(work, model.config().parameters() * BYTES_PER_PARAMETER, usable(work));
        return new Inputs(job, model, resume, problems, evaluations, verifier);
    }

    private static List<EvaluationSpec> evaluations(RLVRJobSpec spec) {
        List<EvaluationSpec> evaluations = spec.evaluation();
        return evaluations == null ? List.of() : evaluations;
    }

    private static void requireRoomForSequences(RLVRJobSpec spec, ModelFolder model) {
        int longest = spec.data().maxPromptTokens() + spec.rollout().maxResponseTokens();
        if (longest > model.config().maxPositions()) {
            throw new InputException("spec.rollout.maxResponseTokens: "
                    + spec.rollout().maxResponseTokens()
                    + " and spec.data.maxPromptTokens " + spec.data().maxPromptTokens() + " make " + longest
                    + " tokens, but the model was made for " + model.config().maxPositions()
                    + " (max_position_embeddings); lower one of them");
        }
    }

    private static List<Problem> problems(
            String field, DataSpec data, String source, SourceResolver sources, Verifier verifier) {
        Path file = sources.resolve(field, source);
        List<Problem> problems;
        try {
            problems = ProblemFile.read(file, data);
            problems.forEach(verifier::validate);
        } catch (InputException e) {
            throw new InputException(field + ": " + e.getMessage(), e);
        }
        return problems;
    }

    private static HeldOut heldOut(
            EvaluationSpec evaluation, RLVRJobSpec spec, SourceResolver sources, Verifier verifier) {
        String field = "spec.evaluation[" + evaluation.name() + "].source";
        List<Problem> problems = problems(field, spec.data(), evaluation.source(), sources, verifier);
        Integer most = evaluation.maxProblems();
        return new HeldOut(
                evaluation, problems.subList(0, most == null ? problems.size() : Math.min(most, problems.size())));
    }

    private static Checkpoints.Saved checkpoint(String source, SourceResolver sources) {
        Path folder = sources.resolve("spec.checkpoint.resumeFrom", source);
        try {
            return Checkpoints.open(folder)
                    .orElseThrow(() -> new InputException("spec.checkpoint.resumeFrom: " + folder
                            + " is not a complete checkpoint; name a folder step-NNNNNN that has a manifest.json"));
        } catch (IOException e) {
            throw new InputException("spec.checkpoint.resumeFrom: cannot read " + folder + ": " + e.getMessage(), e);
        }
    }

    private static void requireWritable(Path work) {
        try {
            Files.createDirectories(work);
            Files.delete(Files.createTempFile(work, "write", ".test"));
        } catch (IOException e) {
            throw new InputException(
                    "--work: cannot write to " + work + "; give a folder that this user may write to", e);
        }
    }

    private static long usable(Path work) {
        try {
            return Files.getFileStore(work).getUsableSpace();
        } catch (IOException e) {
            throw new InputException("--work: cannot find out how much room there is in " + work, e);
        }
    }

    /** Package-private for the test: a test cannot fill a disk. */
    static void requireDisk(Path work, long needed, long usable) {
        if (usable < needed) {
            throw new InputException(
                    "--work: a checkpoint takes %,d MB, but the disk of %s has only %,d MB left; free some or give another folder"
                            .formatted(needed / 1_000_000, work, usable / 1_000_000));
        }
    }
}
