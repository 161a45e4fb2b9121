package dev.rlvr.trainer.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.TensorFiles;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.objective.DivergedException;
import dev.rlvr.trainer.torch.Script;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/** AdamW as PyTorch defines it ({@code torch.optim.AdamW}), with its fused kernel; norms and biases are not decayed. */
public final class AdamW implements AutoCloseable {
    private static final String FIRST = "first.";
    private static final String SECOND = "second.";

    private static final String SCRIPT = """
              def norm(self: __torch__.M, g: List[Tensor]) -> Tensor:
                return torch.norm(torch.stack(ops.aten._foreach_norm(g, 2), 0))
              def step(self: __torch__.M, p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], t: List[Tensor], lr: float, b1: float, b2: float, wd: float, eps: float, divisor: Tensor) -> List[Tensor]:
                none = annotate(List[Tensor], [])
                ops.aten._foreach_add_(t, 1)
                ops.aten._fused_adamw_(p, g, m, v, none, t, lr=lr, beta1=b1, beta2=b2, weight_decay=wd, eps=eps, amsgrad=False, maximize=False, grad_scale=divisor, found_inf=None)
                return p
            """;

    private final NDManager owner;
    private final ModelTensors weights;
    private final Optimizer settings;
    private final Script script = Script.compile(SCRIPT);
    private final ModelTensors first;
    private final ModelTensors second;
    private long steps;

    private AdamW(
            NDManager owner,
            ModelTensors weights,
            Optimizer settings,
            ModelTensors first,
            ModelTensors second,
            long steps) {
        this.owner = owner;
        this.weights = weights;
        this.settings = settings;
        this.first = first;
        this.second = second;
        this.steps = steps;
    }

    /** An optimizer of all weights that has not made a step: both moments are 0. */
    public static AdamW start(NDManager owner, Weights weights, Optimizer settings) {
        ModelConfig config = weights.config();
        return start(
                owner,
                weights.tensors(),
                settings,
                ModelTensors.zeros(owner, config),
                ModelTensors.zeros(owner, config));
    }

    /** An optimizer that has not made a step, of weights or a share of them, with moments of the same shape: zeros. */
    public static AdamW start(
            NDManager owner, ModelTensors weights, Optimizer settings, ModelTensors first, ModelTensors second) {
        return new AdamW(owner, weights, settings, first, second, 0);
    }

    /** Goes on after so many steps with the moments in files that {@link #content} was written to. */
    public AdamW resume(TensorFiles files, long stepsMade) throws IOException {
        first.read(files, FIRST);
        second.read(files, SECOND);
        steps = stepsMade;
        return this;
    }

    /** Both moments, in their own memory; with {@link #steps} they are the optimizer's whole state. */
    public SequencedMap<String, Safetensors.Content> content() {
        return content(tensors -> tensors);
    }

    /** As {@link #content()}, of a part of each moment. */
    public SequencedMap<String, Safetensors.Content> content(UnaryOperator<ModelTensors> part) {
        SequencedMap<String, Safetensors.Content> content = part.apply(first).content(FIRST);
        content.putAll(part.apply(second).content(SECOND));
        return content;
    }

    /** Steps made so far. */
    public long steps() {
        return steps;
    }

    /**
     * Makes one step of an optimizer of all weights, and sets the gradients to 0.
     *
     * @param gradients of all weights, summed over tokens
     * @param denominator what the sums are divided by
     * @param learningRate of this step
     * @return the divided gradients' norm before it was clipped
     * @throws DivergedException if the norm is not finite; the weights are then as before
     */
    public double step(ModelTensors gradients, double denominator, double learningRate) {
        double norm = step(gradients, norm(gradients), denominator, learningRate);
        gradients.clear();
        return norm;
    }

    /** The Euclidean norm of gradients. */
    public double norm(ModelTensors gradients) {
        try (NDManager scope = owner.newSubManager()) {
            return script.tensor(scope, "norm", gradients.flats()).getFloat();
        }
    }

    /**
     * Makes one step.
     *
     * @param gradients of this optimizer's weights, summed over tokens
     * @param norm of the gradients of all weights, those of other ranks included
     * @param denominator what the sums are divided by
     * @return the divided gradients' norm before it was clipped
     * @throws DivergedException if the norm is not finite; the weights are then as before
     */
    public double step(ModelTensors gradients, double norm, double denominator, double learningRate) {
        double divided = norm / denominator;
        if (!Double.isFinite(divided)) {
            throw new DivergedException("the gradient norm is " + divided);
        }
        double clipped = settings.gradientClip() > 0 && divided > settings.gradientClip()
                ? (divided + 1e-6) / settings.gradientClip()
                : 1;
        try (NDManager scope = owner.newSubManager()) {
            NDArray divisor = scope.create((float) (denominator * clipped));
            update(scope, gradients, divisor, learningRate, true);
            update(scope, gradients, divisor, learningRate, false);
        }
        steps++;
        return divided;
    }

    private void update(
            NDManager scope, ModelTensors gradients, NDArray divisor, double learningRate, boolean decayed) {
        List<NDArray> parameters = weights.flats(decayed);
        List<NDArray> counts = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            counts.add(scope.create((float) steps));
        }
        script.tensors(
                scope,
                "step",
                parameters,
                gradients.flats(decayed),
                first.flats(decayed),
                second.flats(decayed),
                counts,
                learningRate,
                settings.beta1(),
                settings.beta2(),
                decayed ? settings.weightDecay() : 0.0,
                settings.epsilon(),
                divisor);
    }

    @Override
    public void close() {
        script.close();
    }
}
