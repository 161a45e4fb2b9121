package dev.rlvr.trainer;

import com.sun.management.OperatingSystemMXBean;
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
import dev.rlvr.trainer.rollout.TextCodec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that a job reads, checked as far as that is possible before the first weight is loaded.
 *
 * @param job the manifest with its defaults
 * @param model the base model's folder
 * @param resume checkpoint folder whose weights take the place of the base model's
 * @param problems to train on: those whose prompts are short enough
 * @param evaluations held-out sets
 * @param verifier what verifies answers
 * @param memory what the job will take
 */
record Inputs(
        RLVRJob job,
        ModelFolder model,
        Optional<Checkpoints.Saved> resume,
        List<Problem> problems,
        List<HeldOut> evaluations,
        Verifier verifier,
        MemoryPlan memory) {
    private static final Logger LOG = LoggerFactory.getLogger(Inputs.class);

    /** A held-out set and its problems. */
    record HeldOut(EvaluationSpec spec, List<Problem> problems) {}

    /**
     * Reads and checks a manifest as its user has written it.
     *
     * @throws InputException with one line per problem
     */
    static RLVRJob job(Path manifest) {
        RLVRJob job;
        try {
            job = Manifest.read(manifest);
        } catch (ManifestException e) {
            throw new InputException(e.getMessage(), e);
        }
        List<String> unsupported = Release.unsupported(job.getSpec());
        if (!unsupported.isEmpty()) {
            throw new InputException(String.join("\n", unsupported));
        }
        return job;
    }

    /**
     * Reads and checks what a job names.
     *
     * @throws InputException with one line per problem
     */
    static Inputs read(RLVRJob job, Path work, SourceResolver sources, Gpus gpus) {
        RLVRJobSpec spec = job.getSpec();
        OptionalLong gpuMemory = gpus.require(spec.trainer());
        ModelFolder model = model(spec, sources);
        requireRoomForSequences(spec, model);
        Verifier verifier = Verifier.of(spec.reward());
        List<Problem> problems =
                problems("spec.data.source", spec.data(), spec.data().source(), sources, verifier);
        List<HeldOut> evaluations = new ArrayList<>();
        for (EvaluationSpec evaluation : spec.evaluations()) {
            evaluations.add(heldOut(evaluation, spec, sources, verifier));
        }
        List<Problem> fitting = requireTokens(spec, model, problems, evaluations);
        Optional<Checkpoints.Saved> resume =
                Optional.ofNullable(spec.checkpoint().resumeFrom()).map(source -> checkpoint(source, sources, model));
        MemoryPlan memory = gpuMemory.isPresent()
                ? MemoryPlan.onGpu(spec, model.config(), gpuMemory.getAsLong())
                : MemoryPlan.of(spec, model.config(), physicalMemory());
        memory.require();
        if (gpuMemory.isPresent()) {
            requireHostMemory(memory.host() * spec.trainer().ranksPerPod(), physicalMemory());
        }
        requireDisk(work, memory.snapshot() * spec.trainer().ranks(), Room.of(work));
        requireWritable(work);
        return new Inputs(job, model, resume, fitting, evaluations, verifier, memory);
    }

    private static ModelFolder model(RLVRJobSpec spec, SourceResolver sources) {
        Path folder = sources.model(spec.model());
        ModelFolder model;
        try {
            model = ModelFolder.open(folder);
        } catch (InputException e) {
            throw new InputException("spec.model.source: " + e.getMessage(), e);
        }
        if (model.config().endTokens().isEmpty()) {
            throw new InputException("spec.model.source: " + folder.resolve("config.json")
                    + " has no eos_token_id, so that answers would never end; add it");
        }
        return model;
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

    /**
     * Tokenizer and model must fit each other, and held-out prompts must leave room for their answers.
     *
     * @return the problems whose prompts are short enough
     */
    private static List<Problem> requireTokens(
            RLVRJobSpec spec, ModelFolder model, List<Problem> problems, List<HeldOut> evaluations) {
        int most = spec.data().maxPromptTokens();
        try (TextCodec codec = tokenizer(model)) {
            List<Problem> fitting = new ArrayList<>();
            int shortest = Integer.MAX_VALUE;
            for (Problem problem : problems) {
                int tokens = tokens(codec, "spec.data.source", problem, model);
                shortest = Math.min(shortest, tokens);
                if (tokens <= most) {
                    fitting.add(problem);
                }
            }
            if (shortest > most) {
                throw new InputException("spec.data.maxPromptTokens: all prompts of "
                        + spec.data().source() + " are longer than " + most + " tokens, the shortest has " + shortest
                        + "; raise it");
            }
            if (fitting.size() < problems.size()) {
                LOG.warn(
                        "{} of {} problems are left out: their prompts are longer than {} tokens",
                        problems.size() - fitting.size(),
                        problems.size(),
                        most);
            }
            for (HeldOut heldOut : evaluations) {
                requireTokens(heldOut, codec, model, most);
            }
            return fitting;
        }
    }

    private static void requireTokens(HeldOut heldOut, TextCodec codec, ModelFolder model, int most) {
        String field = sourceField(heldOut.spec());
        for (Problem problem : heldOut.problems()) {
            int tokens = tokens(codec, field, problem, model);
            if (tokens > most) {
                throw new InputException(field + ": " + problem.origin() + ": the prompt has " + tokens
                        + " tokens, more than spec.data.maxPromptTokens " + most + "; raise that");
            }
        }
    }

    private static TextCodec tokenizer(ModelFolder model) {
        try {
            return TextCodec.open(model.tokenizerFile());
        } catch (InputException e) {
            throw new InputException("spec.model.source: " + e.getMessage(), e);
        }
    }

    private static int tokens(TextCodec codec, String field, Problem problem, ModelFolder model) {
        List<Integer> tokens = codec.encode(problem.prompt());
        if (tokens.isEmpty()) {
            throw new InputException(field + ": " + problem.origin()
                    + ": the model's tokenizer makes no token of the prompt; leave it out");
        }
        int largest = Collections.max(tokens);
        if (largest >= model.config().vocabulary()) {
            throw new InputException("spec.model.source: " + model.tokenizerFile() + " makes token " + largest + " of "
                    + problem.origin() + ", but config.json has vocab_size "
                    + model.config().vocabulary() + "; take both from the same model");
        }
        return tokens.size();
    }

    private static String sourceField(EvaluationSpec evaluation) {
        return "spec.evaluation[" + evaluation.name() + "].source";
    }

    private static List<Problem> problems(
            String field, DataSpec data, String source, SourceResolver sources, Verifier verifier) {
        Path file = sources.problems(field, source);
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
        List<Problem> problems = problems(sourceField(evaluation), spec.data(), evaluation.source(), sources, verifier);
        Integer most = evaluation.maxProblems();
        return new HeldOut(
                evaluation, problems.subList(0, most == null ? problems.size() : Math.min(most, problems.size())));
    }

    private static Checkpoints.Saved checkpoint(String source, SourceResolver sources, ModelFolder model) {
        String field = "spec.checkpoint.resumeFrom";
        Path folder = sources.checkpoint(field, source);
        Checkpoints.Saved saved;
        try {
            saved = Checkpoints.open(folder)
                    .orElseThrow(() -> new InputException(field + ": " + folder
                            + " is not a complete checkpoint; name a folder step-NNNNNN that has a manifest.json"));
        } catch (IOException e) {
            throw new InputException(
                    field + ": cannot read " + folder + " (" + e.getMessage() + "); name a folder step-NNNNNN", e);
        }
        try {
            model.requireWeightsIn(saved.files("model"));
        } catch (InputException e) {
            throw new InputException(field + ": " + e.getMessage(), e);
        }
        return saved;
    }

    /** Tries it in the nearest folder that exists, so that a check leaves nothing behind. */
    private static void requireWritable(Path work) {
        try {
            Files.delete(Files.createTempFile(existing(work), ".write", ".test"));
        } catch (IOException e) {
            throw new InputException(
                    "--work: cannot write to " + work + "; give a folder that this user may write to", e);
        }
    }

    private static Path existing(Path path) {
        Path at = path.toAbsolutePath();
        while (!Files.exists(at) && at.getParent() != null) {
            at = at.getParent();
        }
        return at;
    }

    /** Of the machine, or of the pod where it has a limit, in bytes. */
    private static long physicalMemory() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    /** Package-private for the test: a test has no GPU. */
    static void requireHostMemory(long needed, long physical) {
        if (needed > physical) {
            throw new InputException(
                    "spec.trainer.resources: beside its GPUs a pod needs about %s of memory for checkpoints, but there are %s; take more, or fewer GPUs per pod"
                            .formatted(MemoryPlan.size(needed), MemoryPlan.size(physical)));
        }
    }

    /** Bytes of a disk: all, and those that this user may still write. */
    record Room(long total, long usable) {
        static Room of(Path work) {
            try {
                FileStore disk = Files.getFileStore(existing(work));
                return new Room(disk.getTotalSpace(), disk.getUsableSpace());
            } catch (IOException e) {
                throw new InputException("--work: cannot find out how much room there is in " + work, e);
            }
        }
    }

    /** Package-private for the test: a test cannot fill a disk. */
    static void requireDisk(Path work, long needed, Room room) {
        if (room.total() < needed) {
            throw new InputException(
                    "--work: a checkpoint takes %,d MB, but the disk of %s has only %,d MB in all; give a folder on a larger one (spec.checkpoint.volume.size)"
                            .formatted(needed / 1_000_000, work, room.total() / 1_000_000));
        }
        if (room.usable() < needed) {
            throw new FullDiskException(
                    "--work: a checkpoint takes %,d MB, but the disk of %s has only %,d MB left; free some or give another folder"
                            .formatted(needed / 1_000_000, work, room.usable() / 1_000_000));
        }
    }
}
