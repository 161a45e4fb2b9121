package dev.rlvr.trainer.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.LibTorch;
import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.objective.DivergedException;
import dev.rlvr.trainer.torch.Script;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/** AdamW as PyTorch defines it ({@code torch.optim.AdamW}), with its fused kernel; norms and biases are not decayed. */
public final class AdamW implements AutoCloseable {
    private static final String SCRIPT = """
              def norm(self: __torch__.M, g: List[Tensor]) -> Tensor:
                return torch.norm(torch.stack(ops.aten._foreach_norm(g, 2), 0))
              def scale(self: __torch__.M, g: List[Tensor], factor: float) -> List[Tensor]:
                ops.aten._foreach_mul_(g, factor)
                return g
              def zero(self: __torch__.M, g: List[Tensor]) -> List[Tensor]:
                ops.aten._foreach_zero_(g)
                return g
              def step(self: __torch__.M, p: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], t: List[Tensor], lr: float, b1: float, b2: float, wd: float, eps: float) -> List[Tensor]:
                none = annotate(List[Tensor], [])
                ops.aten._foreach_add_(t, 1)
                ops.aten._fused_adamw_(p, g, m, v, none, t, lr=lr, beta1=b1, beta2=b2, weight_decay=wd, eps=eps, amsgrad=False, maximize=False, grad_scale=None, found_inf=None)
                return p
            """;

    private final NDManager owner;
    private final Weights weights;
    private final Optimizer settings;
    private final Script script = Script.compile(SCRIPT);
    private final List<NDArray> first;
    private final List<NDArray> second;
    private long steps;

    private AdamW(
            NDManager owner,
            Weights weights,
            Optimizer settings,
            List<NDArray> first,
            List<NDArray> second,
            long steps) {
        this.owner = owner;
        this.weights = weights;
        this.settings = settings;
        this.first = first;
        this.second = second;
        this.steps = steps;
    }

    /** An optimizer that has not made a step: both moments are 0. */
    public static AdamW start(NDManager owner, Weights weights, Optimizer settings) {
        List<NDArray> first = new ArrayList<>();
        List<NDArray> second = new ArrayList<>();
        for (NDArray weight : weights.all()) {
            first.add(owner.zeros(weight.getShape()));
            second.add(owner.zeros(weight.getShape()));
        }
        return new AdamW(owner, weights, settings, first, second, 0);
    }

    /** The optimizer that {@link #write} wrote after so many steps. */
    public static AdamW resume(NDManager owner, Weights weights, Optimizer settings, Path file, long steps)
            throws IOException {
        Safetensors saved = Safetensors.open(file);
        List<NDArray> first = new ArrayList<>();
        List<NDArray> second = new ArrayList<>();
        for (int i = 0; i < weights.all().size(); i++) {
            Shape shape = weights.all().get(i).getShape();
            first.add(Torch.tensor(
                    owner, shape, saved.readF32("first." + weights.names().get(i))));
            second.add(Torch.tensor(
                    owner, shape, saved.readF32("second." + weights.names().get(i))));
        }
        return new AdamW(owner, weights, settings, first, second, steps);
    }

    /** Writes both moments; with {@link #steps} they are the optimizer's whole state. */
    public void write(Path file) throws IOException {
        LinkedHashMap<String, Safetensors.Content> content = new LinkedHashMap<>();
        for (int i = 0; i < first.size(); i++) {
            content.put("first." + weights.names().get(i), content(first.get(i)));
            content.put("second." + weights.names().get(i), content(second.get(i)));
        }
        Safetensors.write(file, content);
    }

    private static Safetensors.Content content(NDArray moment) {
        List<Long> shape = new ArrayList<>();
        for (long length : moment.getShape().getShape()) {
            shape.add(length);
        }
        return new Safetensors.Content(shape, LibTorch.buffer(moment));
    }

    /** Steps made so far. */
    public long steps() {
        return steps;
    }

    /**
     * Makes one step with the gradients that the weights have accumulated, and sets these to 0.
     *
     * @param learningRate of this step
     * @return the gradients' norm before it was clipped
     * @throws DivergedException if the norm is not finite; the weights are then as before
     */
    public double step(double learningRate) {
        try (NDManager scope = owner.newSubManager()) {
            List<NDArray> gradients = weights.all().stream()
                    .map(weight -> LibTorch.gradient(scope, weight).orElseGet(() -> zeros(scope, weight)))
                    .toList();
            double norm = script.tensor(scope, "norm", gradients).getFloat();
            if (!Double.isFinite(norm)) {
                throw new DivergedException("the gradient norm is " + norm);
            }
            if (settings.gradientClip() > 0 && norm > settings.gradientClip()) {
                script.tensors(scope, "scale", gradients, settings.gradientClip() / (norm + 1e-6));
            }
            update(scope, gradients, learningRate, true);
            update(scope, gradients, learningRate, false);
            script.tensors(scope, "zero", gradients);
            steps++;
            return norm;
        }
    }

    private static NDArray zeros(NDManager scope, NDArray weight) {
        return scope.zeros(weight.getShape());
    }

    private void update(NDManager scope, List<NDArray> gradients, double learningRate, boolean decayed) {
        List<NDArray> parameters = new ArrayList<>();
        List<NDArray> groupGradients = new ArrayList<>();
        List<NDArray> groupFirst = new ArrayList<>();
        List<NDArray> groupSecond = new ArrayList<>();
        List<NDArray> counts = new ArrayList<>();
        for (int i = 0; i < gradients.size(); i++) {
            if (weights.decayed(i) == decayed) {
                parameters.add(weights.all().get(i));
                groupGradients.add(gradients.get(i));
                groupFirst.add(first.get(i));
                groupSecond.add(second.get(i));
                counts.add(scope.create((float) steps));
            }
        }
        script.tensors(
                scope,
                "step",
                parameters,
                groupGradients,
                groupFirst,
                groupSecond,
                counts,
                learningRate,
                settings.beta1(),
                settings.beta2(),
                decayed ? settings.weightDecay() : 0.0,
                settings.epsilon());
    }

    @Override
    public void close() {
        script.close();
    }
}
