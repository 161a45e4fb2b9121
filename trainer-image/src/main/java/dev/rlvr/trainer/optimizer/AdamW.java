package dev.rlvr.trainer.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.objective.DivergedException;
import dev.rlvr.trainer.torch.Script;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/** AdamW as PyTorch defines it ({@code torch.optim.AdamW}), with its fused kernel; norms and biases are not decayed. */
public final class AdamW implements AutoCloseable {
    private static final String FIRST = "first.";
    private static final String SECOND = "second.";

    private static final String SCRIPT = """
              def norm(self: __torch__.M, g: List[Tensor]) -> Tensor:
                return torch.norm(torch.stack(ops.aten._foreach_norm(g, 2), 0))
              def zero(self: __torch__.M, g: List[Tensor]) -> List[Tensor]:
                ops.aten._foreach_zero_(g)
                return g
              def step(self: __torch__.M, p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], t: List[Tensor], lr: float, b1: float, b2: float, wd: float, eps: float, divisor: Tensor) -> List[Tensor]:
                none = annotate(List[Tensor], [])
                ops.aten._foreach_add_(t, 1)
                ops.aten._fused_adamw_(p, g, m, v, none, t, lr=lr, beta1=b1, beta2=b2, weight_decay=wd, eps=eps, amsgrad=False, maximize=False, grad_scale=divisor, found_inf=None)
                return p
            """;

    private final NDManager owner;
    private final Weights weights;
    private final Optimizer settings;
    private final Script script = Script.compile(SCRIPT);
    private final ModelTensors first;
    private final ModelTensors second;
    private long steps;

    private AdamW(
            NDManager owner, Weights weights, Optimizer settings, ModelTensors first, ModelTensors second, long steps) {
        this.owner = owner;
        this.weights = weights;
        this.settings = settings;
        this.first = first;
        this.second = second;
        this.steps = steps;
    }

    /** An optimizer that has not made a step: both moments are 0. */
    public static AdamW start(NDManager owner, Weights weights, Optimizer settings) {
        return new AdamW(
                owner,
                weights,
                settings,
                ModelTensors.zeros(owner, weights.config()),
                ModelTensors.zeros(owner, weights.config()),
                0);
    }

    /** The optimizer that {@link #write} wrote after so many steps. */
    public static AdamW resume(NDManager owner, Weights weights, Optimizer settings, Path file, long steps)
            throws IOException {
        Safetensors saved = Safetensors.open(file);
        return new AdamW(
                owner,
                weights,
                settings,
                ModelTensors.read(owner, weights.config(), saved, FIRST),
                ModelTensors.read(owner, weights.config(), saved, SECOND),
                steps);
    }

    /** Writes both moments; with {@link #steps} they are the optimizer's whole state. */
    public void write(Path file) throws IOException {
        Safetensors.write(file, content());
    }

    /** The tensors of the file that {@link #write} writes: the moments' own memory. */
    public SequencedMap<String, Safetensors.Content> content() {
        SequencedMap<String, Safetensors.Content> content = first.content(FIRST);
        content.putAll(second.content(SECOND));
        return content;
    }

    /** Steps made so far. */
    public long steps() {
        return steps;
    }

    /**
     * Makes one step, and sets the gradients to 0.
     *
     * @param gradients of all weights, summed over tokens
     * @param denominator what the sums are divided by
     * @param learningRate of this step
     * @return the divided gradients' norm before it was clipped
     * @throws DivergedException if the norm is not finite; the weights are then as before
     */
    public double step(ModelTensors gradients, double denominator, double learningRate) {
        try (NDManager scope = owner.newSubManager()) {
            double norm = script.tensor(scope, "norm", gradients.all()).getFloat() / denominator;
            if (!Double.isFinite(norm)) {
                throw new DivergedException("the gradient norm is " + norm);
            }
            double clipped = settings.gradientClip() > 0 && norm > settings.gradientClip()
                    ? (norm + 1e-6) / settings.gradientClip()
                    : 1;
            NDArray divisor = scope.create((float) (denominator * clipped));
            update(scope, gradients, divisor, learningRate, true);
            update(scope, gradients, divisor, learningRate, false);
            script.tensors(scope, "zero", gradients.all());
            steps++;
            return norm;
        }
    }

    private void update(
            NDManager scope, ModelTensors gradients, NDArray divisor, double learningRate, boolean decayed) {
        List<NDArray> parameters = group(weights.tensors(), decayed);
        List<NDArray> counts = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            counts.add(scope.create((float) steps));
        }
        script.tensors(
                scope,
                "step",
                parameters,
                group(gradients, decayed),
                group(first, decayed),
                group(second, decayed),
                counts,
                learningRate,
                settings.beta1(),
                settings.beta2(),
                decayed ? settings.weightDecay() : 0.0,
                settings.epsilon(),
                divisor);
    }

    private static List<NDArray> group(ModelTensors tensors, boolean decayed) {
        List<NDArray> group = new ArrayList<>();
        for (int i = 0; i < tensors.all().size(); i++) {
            if (tensors.decayed(i) == decayed) {
                group.add(tensors.all().get(i));
            }
        }
        return group;
    }

    @Override
    public void close() {
        script.close();
    }
}
