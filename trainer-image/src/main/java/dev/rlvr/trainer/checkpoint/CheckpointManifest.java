package dev.rlvr.trainer.checkpoint;

import java.util.Map;

/**
 * What makes a folder a checkpoint; written last.
 *
 * @param step finished steps
 * @param problemsDrawn position in the stream of problems
 * @param optimizerSteps gradient steps made
 * @param generatedTokens tokens sampled for training since the first step
 * @param job digest of the parts of the spec that the state depends on
 * @param savedAt RFC 3339
 * @param files name to size and checksum
 */
public record CheckpointManifest(
        int step,
        long problemsDrawn,
        long optimizerSteps,
        long generatedTokens,
        String job,
        String savedAt,
        Map<String, FileSum> files) {
    public CheckpointManifest {
        files = Map.copyOf(files);
    }

    /** The same state with these files. */
    public CheckpointManifest with(Map<String, FileSum> written) {
        return new CheckpointManifest(step, problemsDrawn, optimizerSteps, generatedTokens, job, savedAt, written);
    }

    /** Size in bytes and CRC-32C of a file. */
    public record FileSum(long bytes, long crc32c) {}
}
