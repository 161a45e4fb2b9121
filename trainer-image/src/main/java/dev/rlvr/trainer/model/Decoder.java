package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.torch.Script;
import java.util.List;

/** A language model that can be scored, trained and sampled from. All entropies and log-probabilities are in nats, at a temperature. */
public final class Decoder implements AutoCloseable {
    private final NDManager owner;
    private final Weights weights;
    private final Script script;
    private final WorkingWeights working;
    private final RotaryTables rotary;
    private final Head head;

    /**
     * @param owner manager that lives as long as the decoder
     * @param precision of matrix products
     * @param longest longest sequence in tokens
     */
    public Decoder(NDManager owner, Weights weights, Precision precision, int longest) {
        this(owner, weights, precision, longest, Collectives.alone(), Target.of(owner));
    }

    /** As above; ranks of {@code group} fetch from each other what this one's weights are not whole without. */
    public Decoder(NDManager owner, Weights weights, Precision precision, int longest, Collectives group) {
        this(owner, weights, precision, longest, group, Target.of(owner));
    }

    Decoder(NDManager owner, Weights weights, Precision precision, int longest, Collectives group, Target target) {
        this.owner = owner;
        this.weights = weights;
        this.script = Script.compile(DecoderScript.of(weights.config(), precision, target));
        ModelTensors tensors = weights.tensors();
        this.working = tensors.isWhole()
                ? new WholeWeights(owner, tensors, precision)
                : new GatheredWeights(owner, tensors, precision, group);
        this.rotary = RotaryTables.of(owner, weights.config(), longest);
        this.head = new Head(script, working, weights.config().vocabulary());
    }

    /** The TorchScript archive of all that a decoder of that shape runs, for {@code torch.jit.load} in other programs, on any device. */
    public static byte[] archive(ModelConfig config, Precision precision) {
        return Script.archive(DecoderScript.of(config, precision, Target.ANY));
    }

    /** The weights that it computes with. */
    public Weights weights() {
        return weights;
    }

    /** Takes over weights that have changed; to be called after each optimizer step. */
    public void refresh() {
        working.refresh();
    }

    /**
     * What the model says of response tokens, row by row.
     *
     * @param logProbabilities one per token
     * @param entropies over the full vocabulary, one per token
     */
    @SuppressWarnings("ArrayRecordComponent") // read once, never compared
    public record Scores(float[] logProbabilities, float[] entropies) {}

    /** Scores all response tokens of a batch. */
    public Scores score(TokenBatch batch, double temperature) {
        try (ForwardPass pass = forward(batch, Retention.NOTHING)) {
            return pass.score(temperature);
        }
    }

    /** Runs the layers; the pass holds memory until it is closed. */
    public ForwardPass forward(TokenBatch batch, Retention retention) {
        return new ForwardPass(script, weights.config(), working, rotary, head, owner, batch, retention);
    }

    /** Takes the part of a pass of other ranks when this one has no batch; its gradients are 0. */
    public Pass idle() {
        return new IdlePass(working).forward();
    }

    /** Keeps all weights at hand, as sampling needs them; to be closed before the next pass. All ranks do so together. */
    public Held hold() {
        working.hold();
        return working::letGo;
    }

    /** While it is open, all weights are at hand. */
    @FunctionalInterface
    public interface Held extends AutoCloseable {
        @Override
        void close();
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

    /** Reads prompts, token ids of at least one each, for answers to start from. */
    public PromptCache read(NDManager scope, List<List<Integer>> prompts) {
        return new PromptCache(script, working, rotary, scope, prompts);
    }

    /**
     * Begins to decode, with no rows yet.
     *
     * @param rows answers that are probably written at the same time: what matrix products are prepared for
     * @param longest prompt and answer together, in tokens
     */
    public Decoding decode(NDManager scope, int rows, int longest, Drawing drawing) {
        return new Decoding(script, working, rotary, scope, rows, longest, drawing);
    }

    @Override
    public void close() {
        working.close();
        script.close();
    }
}
