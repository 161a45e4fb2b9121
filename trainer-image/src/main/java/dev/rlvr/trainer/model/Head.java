package dev.rlvr.trainer.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.trainer.torch.Script;
import dev.rlvr.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The output head. It works through its rows in chunks, so that there are never more than about 16 M logits. */
final class Head {
    private static final int LOGITS_AT_ONCE = 1 << 24;

    private final Script script;
    private final WorkingWeights weights;
    private final int chunk;

    Head(Script script, WorkingWeights weights, int vocabulary) {
        this.script = script;
        this.weights = weights;
        this.chunk = chunk(vocabulary);
    }

    /** Rows whose logits exist at once. */
    static int chunk(int vocabulary) {
        return Math.max(32, LOGITS_AT_ONCE / vocabulary);
    }

    /** Log-probabilities of the targets and entropies for rows {@code [n, hidden]}. */
    Decoder.Scores score(NDManager scope, NDArray rows, long[] targets, double temperature) {
        float[] logProbabilities = new float[targets.length];
        float[] entropies = new float[targets.length];
        for (int from = 0; from < targets.length; from += chunk) {
            int to = Math.min(from + chunk, targets.length);
            try (NDManager pass = scope.newSubManager()) {
                List<NDArray> scores = script.tensors(
                        pass,
                        "score",
                        script.tensor(pass, "rows", rows, from, to),
                        weights.finalNorm(),
                        weights.head(),
                        pass.create(Arrays.copyOfRange(targets, from, to)),
                        temperature);
                System.arraycopy(scores.get(0).toFloatArray(), 0, logProbabilities, from, to - from);
                System.arraycopy(scores.get(1).toFloatArray(), 0, entropies, from, to - from);
            }
        }
        return new Decoder.Scores(logProbabilities, entropies);
    }

    /** The sum of the losses of kept rows and the gradient of that sum with respect to the rows, {@code [n, hidden]}. */
    record Upstream(double loss, NDArray gradient) {}

    /** Runs forward and backward on the kept rows; the gradients of norm and head are added to {@code gradients}. */
    Upstream backward(
            NDManager scope,
            NDArray rows,
            long[] targets,
            double temperature,
            Decoder.TokenLoss loss,
            NDArray normGradient,
            NDArray headGradient) {
        double sum = 0;
        List<NDArray> parts = new ArrayList<>();
        for (int from = 0; from < targets.length; from += chunk) {
            int to = Math.min(from + chunk, targets.length);
            try (NDManager pass = scope.newSubManager()) {
                NDArray ids = pass.create(Arrays.copyOfRange(targets, from, to));
                NDArray here = script.tensor(pass, "rows", rows, from, to);
                List<NDArray> head =
                        script.tensors(pass, "head", here, weights.finalNorm(), weights.head(), ids, temperature);
                NDArray logProbabilities = head.get(0);
                LibTorch.requireGradient(logProbabilities);
                sum += derivative(pass, logProbabilities, loss, from, to);
                parts.add(script.tensor(
                        scope,
                        "head_backward",
                        LibTorch.gradient(pass, logProbabilities).orElseThrow(),
                        head.get(1),
                        here,
                        weights.finalNorm(),
                        weights.head(),
                        ids,
                        temperature,
                        normGradient,
                        headGradient));
            }
        }
        NDArray gradient = parts.size() == 1 ? parts.getFirst() : script.tensor(scope, "join", parts);
        return new Upstream(sum, gradient);
    }

    private static double derivative(NDManager pass, NDArray leaf, Decoder.TokenLoss loss, int from, int to) {
        NDArray value = Torch.withGradients(() -> loss.of(pass, leaf, from, to));
        LibTorch.backward(value, pass.create(1f));
        return value.getFloat();
    }
}
