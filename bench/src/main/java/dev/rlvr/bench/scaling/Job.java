package dev.rlvr.bench.scaling;

import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Precision;

/**
 * What is trained, as the fields of an RLVRJob say it.
 *
 * @param prompts per batch
 * @param answers per prompt
 * @param miniBatchPrompts prompts per gradient step
 * @param promptTokens of every prompt
 * @param microBatchTokens of one pass, padding included
 * @param kept share of response tokens that take part in the loss
 * @param reducePrecision of gradients on their way
 * @param checkpointEvery steps
 * @param verdict seconds waited for the last answer's verdict; the others come while answers are written
 */
public record Job(
        ModelConfig model,
        Precision precision,
        int prompts,
        int answers,
        int miniBatchPrompts,
        int promptTokens,
        Lengths lengths,
        int microBatchTokens,
        double kept,
        Sharding sharding,
        Precision reducePrecision,
        int checkpointEvery,
        double verdict) {
    /** The same split otherwise. */
    public Job with(Sharding other) {
        return new Job(
                model,
                precision,
                prompts,
                answers,
                miniBatchPrompts,
                promptTokens,
                lengths,
                microBatchTokens,
                kept,
                other,
                reducePrecision,
                checkpointEvery,
                verdict);
    }

    /** The same with batches of another size. */
    public Job withPrompts(int perBatch, int perMiniBatch) {
        return new Job(
                model,
                precision,
                perBatch,
                answers,
                perMiniBatch,
                promptTokens,
                lengths,
                microBatchTokens,
                kept,
                sharding,
                reducePrecision,
                checkpointEvery,
                verdict);
    }

    /** The same with another batch, of other answers. */
    public Job with(int promptsPerBatch, int answersPerPrompt, Lengths other) {
        return new Job(
                model,
                precision,
                promptsPerBatch,
                answersPerPrompt,
                promptsPerBatch,
                promptTokens,
                other,
                microBatchTokens,
                kept,
                sharding,
                reducePrecision,
                checkpointEvery,
                verdict);
    }
}
