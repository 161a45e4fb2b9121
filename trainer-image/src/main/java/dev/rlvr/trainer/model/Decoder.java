package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.trainer.torch.Script;
import dev.rlvr.trainer.torch.Torch;
import java.util.List;

/** A language model that can be scored, trained and sampled from. All entropies and log-probabilities are in nats, at a temperature. */
public final class Decoder implements AutoCloseable {
    /** Logits that exist at once: the head works through its rows in chunks of about so many values. */
    private static final int LOGITS_AT_ONCE = 1 << 24;

    private final Weights weights;
    private final Script script;
    private final RotaryTables rotary;
    private final int headChunk;

    /**
     * @param owner manager that lives as long as the decoder
     * @param longest longest sequence in tokens
     */
    public Decoder(NDManager owner, Weights weights, int longest) {
        this.weights = weights;
        this.script = Script.compile(DecoderScript.of(weights.config()));
        this.rotary = RotaryTables.of(owner, weights.config(), longest);
        this.headChunk = Math.max(64, LOGITS_AT_ONCE / weights.config().vocabulary());
    }

    /** The weights that it computes with. */
    public Weights weights() {
        return weights;
    }

    /**
     * What the model says of response tokens.
     *
     * @param logProbabilities {@code [tokens]}
     * @param entropies over the full vocabulary, {@code [tokens]}
     */
    public record Scores(NDArray logProbabilities, NDArray entropies) {}

    /** Scores all response tokens of a batch, without gradients. */
    public Scores score(NDManager scope, TokenBatch batch, double temperature) {
        try (NDManager pass = scope.newSubManager()) {
            NDArray hidden = hidden(pass, batch);
            Scores scores = score(pass, hidden, targets(pass, batch), temperature);
            scores.logProbabilities().attach(scope);
            scores.entropies().attach(scope);
            return scores;
        }
    }

    /** Runs the layers so that gradients can flow back through them; the caller frees it with the scope. */
    public ForwardPass forward(NDManager scope, TokenBatch batch) {
        return new ForwardPass(scope, Torch.withGradients(() -> hidden(scope, batch)), targets(scope, batch));
    }

    /** A forward pass whose layers remember what backward needs. */
    public final class ForwardPass {
        private final NDManager scope;
        private final NDArray hidden;
        private final NDArray targets;

        private ForwardPass(NDManager scope, NDArray hidden, NDArray targets) {
            this.scope = scope;
            this.hidden = hidden;
            this.targets = targets;
        }

        /** Scores all response tokens of the pass, without gradients. */
        public Scores score(double temperature) {
            return Decoder.this.score(scope, hidden, targets, temperature);
        }

        /**
         * Adds the gradients of a sum of token losses to the weights. The differentiable head sees only the kept tokens.
         *
         * @param kept positions among the response tokens, ascending, int64 {@code [kept]}
         * @param loss scalar loss of a run of kept tokens
         * @return the sum of all losses
         */
        public double backward(NDArray kept, double temperature, TokenLoss loss) {
            int count = Math.toIntExact(kept.size());
            if (count == 0) {
                return 0;
            }
            NDArray keptHidden = Torch.withGradients(() -> script.tensor(scope, "take", hidden, kept));
            NDArray leaf = LibTorch.copy(scope, keptHidden);
            LibTorch.requireGradient(leaf);
            NDArray keptTargets = script.tensor(scope, "take_ids", targets, kept);
            double sum = 0;
            for (int from = 0; from < count; from += headChunk) {
                sum += backwardHead(leaf, keptTargets, from, Math.min(from + headChunk, count), temperature, loss);
            }
            NDArray upstream = LibTorch.gradient(scope, leaf).orElseThrow();
            LibTorch.backward(keptHidden, upstream);
            return sum;
        }

        private double backwardHead(
                NDArray leaf, NDArray keptTargets, int from, int to, double temperature, TokenLoss loss) {
            try (NDManager chunk = scope.newSubManager()) {
                NDArray value = Torch.withGradients(() -> {
                    NDArray logProbabilities = script.tensor(
                            chunk,
                            "log_probabilities",
                            script.tensor(chunk, "rows", leaf, from, to),
                            weights.finalNorm(),
                            weights.head(),
                            script.tensor(chunk, "rows", keptTargets, from, to),
                            temperature);
                    return loss.of(chunk, logProbabilities, from, to);
                });
                LibTorch.backward(value, chunk.create(1f));
                return value.getFloat();
            }
        }
    }

    /** The loss of a run of kept tokens. */
    @FunctionalInterface
    public interface TokenLoss {
        /**
         * Computes the loss of a run.
         *
         * @param scope owner of what is computed
         * @param logProbabilities of kept tokens {@code from} to {@code to - 1}, {@code [to - from]}, with a graph
         * @return a scalar with a graph
         */
        NDArray of(NDManager scope, NDArray logProbabilities, int from, int to);
    }

    /** Hidden states that predict the response tokens, {@code [tokens, hidden]}. */
    private NDArray hidden(NDManager scope, TokenBatch batch) {
        NDArray ids = scope.create(batch.ids(), new Shape(batch.rows().size(), batch.width()));
        RotaryTables tables = rotary.first(scope, batch.width());
        NDArray x = script.tensor(scope, "embed", weights.embedding(), ids);
        for (int layer = 0; layer < weights.config().layers(); layer++) {
            x = script.tensor(scope, "layer", x, weights.layer(layer), tables.cos(), tables.sin());
        }
        return script.tensor(scope, "take", x, scope.create(batch.predictingPositions()));
    }

    private static NDArray targets(NDManager scope, TokenBatch batch) {
        return scope.create(batch.targets());
    }

    private Scores score(NDManager scope, NDArray hidden, NDArray targets, double temperature) {
        List<NDArray> scores = script.tensors(
                scope, "score", hidden, weights.finalNorm(), weights.head(), targets, temperature, headChunk);
        return new Scores(scores.get(0), scores.get(1));
    }

    /**
     * Reads prompts and draws the first token of each answer.
     *
     * @param prompts token ids, at least one each
     * @param repeats answers per prompt: row {@code p * repeats + s} is answer s of prompt p
     * @param uniforms one number in [0, 1) per row
     * @param temperature 0 takes the likeliest token
     */
    public Decoding decode(
            NDManager scope, List<List<Integer>> prompts, int repeats, double[] uniforms, double temperature) {
        return new Decoding(script, weights, rotary, scope, prompts, repeats, uniforms, temperature);
    }

    @Override
    public void close() {
        script.close();
    }
}
