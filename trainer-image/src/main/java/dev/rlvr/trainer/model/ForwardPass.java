package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.rlvr.trainer.torch.Script;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One pass of a batch through the layers that remembers what backward needs. The last layer's MLP and the head see only the positions that
 * predict response tokens, and in backward only the kept ones of these.
 */
public final class ForwardPass implements Pass {
    private final ModelConfig config;
    private final Script script;
    private final WorkingWeights weights;
    private final Head head;
    private final NDManager scope;
    private final Retention retention;
    private final TokenBatch batch;
    private final RotaryTables tables;
    private final List<NDArray> bias;
    private final List<Layer> layers = new ArrayList<>();
    private final NDArray ids;
    private final long[] positions;
    private final long[] targets;
    private NDArray rows;

    /** What is remembered of one layer; the lists are empty where they are to be computed again. */
    private static final class Layer {
        private final NDManager scope;
        private final NDArray input;
        private List<NDArray> attention = List.of();
        private List<NDArray> mlp = List.of();

        Layer(NDManager owner, NDArray input) {
            this.scope = owner.newSubManager();
            this.input = input;
            input.attach(scope);
        }
    }

    ForwardPass(
            Script script,
            ModelConfig config,
            WorkingWeights weights,
            RotaryTables rotary,
            Head head,
            NDManager owner,
            TokenBatch batch,
            Retention retention) {
        this.config = config;
        this.script = script;
        this.weights = weights;
        this.head = head;
        this.scope = owner.newSubManager();
        this.retention = retention;
        this.batch = batch;
        this.tables = batch.isShared() ? rotary.at(script, scope, batch) : rotary.first(scope, batch.width());
        this.bias = batch.isShared()
                ? List.of(
                        scope.create(batch.attentionBias(), new Shape(batch.height(), 1, batch.width(), batch.width())))
                : List.of();
        this.ids = scope.create(batch.ids());
        this.positions = batch.predictingPositions();
        this.targets = batch.targets();
        this.rows = forward();
    }

    /** Residual stream of the positions that predict response tokens, {@code [tokens, hidden]}. */
    private NDArray forward() {
        NDArray x = script.tensor(scope, "embed", weights.embedding(), ids);
        for (int l = 0; l < config.layers(); l++) {
            Layer layer = new Layer(scope, x);
            List<NDArray> working = weights.layer(l);
            weights.expect(l + 1);
            try (NDManager pass = scope.newSubManager()) {
                List<NDArray> attention = attention(pass, working, x);
                NDArray middle = attention.getFirst();
                if (l == config.layers() - 1) {
                    middle = script.tensor(pass, "take", middle, pass.create(positions));
                    attention = replaceFirst(attention, middle);
                }
                List<NDArray> mlp = script.tensors(pass, "mlp", middle, working);
                x = mlp.getFirst();
                x.attach(scope);
                switch (retention) {
                    case NOTHING -> layer.scope.close();
                    case INPUTS -> layers.add(layer);
                    case ACTIVATIONS -> {
                        layers.add(layer);
                        layer.attention = attention;
                        layer.mlp = mlp.subList(1, mlp.size());
                        layer.attention.forEach(array -> array.attach(layer.scope));
                        layer.mlp.forEach(array -> array.attach(layer.scope));
                    }
                }
            }
            weights.release(l);
        }
        return x;
    }

    private List<NDArray> attention(NDManager pass, List<NDArray> working, NDArray x) {
        return script.tensors(
                pass, "attention", x, working, tables.cos(), tables.sin(), bias, batch.height(), batch.width());
    }

    private static List<NDArray> replaceFirst(List<NDArray> list, NDArray first) {
        List<NDArray> replaced = new ArrayList<>(list);
        replaced.set(0, first);
        return replaced;
    }

    @Override
    public Decoder.Scores score(double temperature) {
        return head.score(scope, rows, targets, temperature);
    }

    /** The differentiable head sees only the kept tokens. */
    @Override
    public double backward(long[] kept, double temperature, Decoder.TokenLoss loss, GradientSums gradients) {
        if (retention == Retention.NOTHING) {
            throw new IllegalStateException("this pass kept nothing for backward");
        }
        if (kept.length == 0) {
            return new IdlePass(weights).backward(kept, temperature, loss, gradients);
        }
        NDArray index = scope.create(kept);
        Head.Upstream upstream = head.backward(
                scope,
                script.tensor(scope, "take", rows, index),
                Arrays.stream(kept).map(k -> targets[(int) k]).toArray(),
                temperature,
                loss,
                gradients.finalNorm(),
                gradients.head());
        NDArray gradient = upstream.gradient();
        for (int l = config.layers() - 1; l >= 0; l--) {
            List<NDArray> working = weights.layer(l);
            weights.expect(l - 1);
            List<NDArray> sums = gradients.layer(l);
            try (NDManager pass = layers.get(l).scope) {
                gradient.attach(pass);
                gradient = backward(pass, l, gradient, index, kept, working, sums);
                gradient.attach(scope);
            }
            weights.release(l);
            gradients.finished(1 + l);
        }
        script.tensor(scope, "embed_backward", gradients.embedding(), ids, gradient);
        gradients.finished(0);
        return upstream.loss();
    }

    private NDArray backward(
            NDManager pass,
            int l,
            NDArray upstream,
            NDArray index,
            long[] kept,
            List<NDArray> working,
            List<NDArray> sums) {
        Layer layer = layers.get(l);
        List<NDArray> attention = layer.attention.isEmpty() ? attention(pass, working, layer.input) : layer.attention;
        boolean last = l == config.layers() - 1;
        NDArray middle = attention.getFirst();
        List<NDArray> mlp = layer.mlp;
        if (mlp.isEmpty()) {
            middle = last ? script.tensor(pass, "take", middle, pass.create(positions)) : middle;
            // all rows, not only the kept: a product's last bits depend on how many rows it has
            mlp = script.tensors(pass, "gates", middle, working);
        }
        if (last) {
            middle = script.tensor(pass, "take", middle, index);
            mlp = mlp.stream()
                    .map(array -> script.tensor(pass, "take", array, index))
                    .toList();
        }
        NDArray gradient = script.tensor(pass, "mlp_backward", upstream, middle, mlp, working, sums);
        if (last) {
            long[] keptPositions =
                    Arrays.stream(kept).map(k -> positions[(int) k]).toArray();
            gradient =
                    script.tensor(pass, "spread", gradient, pass.create(keptPositions), batch.height() * batch.width());
        }
        return script.tensor(
                pass,
                "attention_backward",
                gradient,
                layer.input,
                attention.subList(1, attention.size()),
                working,
                sums,
                tables.cos(),
                tables.sin(),
                bias);
    }

    @Override
    public void close() {
        scope.close();
    }
}
