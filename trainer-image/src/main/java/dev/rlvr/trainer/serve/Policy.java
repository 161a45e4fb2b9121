package dev.rlvr.trainer.serve;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.Weights;

/**
 * Loaded weights and what they are called. Of one thread.
 *
 * @param scope owns all of its memory
 */
record Policy(String version, Decoder decoder, NDManager scope) implements AutoCloseable {
    /**
     * Loads a folder.
     *
     * @throws InputException if the model cannot be sampled from
     */
    static Policy load(NDManager owner, ModelFolder folder, Precision precision, String version) {
        if (folder.config().endTokens().isEmpty()) {
            throw new InputException(
                    "config.json has no eos_token_id, so that answers would never end; add it to the model's folder");
        }
        NDManager scope = owner.newSubManager();
        try {
            Weights weights = Weights.load(scope, folder);
            return new Policy(
                    version,
                    new Decoder(scope, weights, precision, folder.config().maxPositions()),
                    scope);
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    ModelConfig config() {
        return decoder.weights().config();
    }

    @Override
    public void close() {
        decoder.close();
        scope.close();
    }
}
