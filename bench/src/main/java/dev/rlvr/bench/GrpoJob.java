package dev.rlvr.bench;

import dev.rlvr.crds.TrainerSpec.Recomputation;
import dev.rlvr.trainer.model.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The GRPO run as a user's manifest: the product itself is measured, not a part of it. */
record GrpoJob(
        Path model,
        Path work,
        Precision precision,
        Recomputation recomputation,
        int ranks,
        int threadsPerRank,
        int steps,
        int prompts,
        int answers,
        int answerTokens) {
    /** Both sides train on these; beside the model, whose tokenizer they are written in. */
    Path problems() {
        return model.resolve("problems.jsonl");
    }

    Contestant contestant(String name, Sides sides) {
        Path manifest = work.resolveSibling(name.replaceAll("[^a-z0-9]+", "-") + ".yaml");
        try {
            Files.createDirectories(manifest.getParent());
            Files.writeString(manifest, manifest());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> run = List.of("--job", manifest.toString(), "--work", work.toString());
        List<String> check = Stream.concat(run.stream(), Stream.of("--check")).toList();
        String trainer = "dev.rlvr.trainer.Main";
        return new WatchedRuns(
                name, sides.java(trainer, run), Optional.of(sides.java(trainer, check)), work, "metrics.jsonl", steps);
    }

    /** One gradient step per rollout batch and no checkpoint in between, as the peer has it. */
    private String manifest() {
        return """
                apiVersion: rlvr.dev/v1alpha1
                kind: RLVRJob
                metadata:
                  name: bench
                spec:
                  model: {source: 'file://%s'}
                  data: {source: 'file://%s', maxPromptTokens: 16}
                  reward: {verifier: Exact, answerPattern: '([ab])$'}
                  algorithm:
                    steps: %d
                    promptsPerBatch: %d
                    groupSize: %d
                    miniBatchPrompts: %d
                    optimizer: {learningRate: 1e-4, warmupSteps: 0}
                    forkingTokens: {fraction: 0.2}
                    dynamicSampling: {enabled: false}
                  rollout: {maxResponseTokens: %d}
                  trainer: {gpusPerReplica: 0, ranksPerReplica: %d, threadsPerRank: %d, precision: %s, recomputation: %s}
                  checkpoint: {everySteps: 1000, exportHuggingFace: false}
                """.formatted(
                        model,
                        problems(),
                        steps,
                        prompts,
                        answers,
                        prompts,
                        answerTokens,
                        ranks,
                        threadsPerRank,
                        precision,
                        recomputation);
    }
}
