package dev.rlvr.trainer.objective;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec.Clip;
import dev.rlvr.trainer.torch.Script;

/**
 * DAPO's clipped policy loss (arXiv 2503.14476, Eq. 8) with clip-higher and dual clip (arXiv 1912.09729). A sum over tokens, so it
 * does not depend on how tokens are split into micro-batches; the token mean is made of all sums at the optimizer step.
 */
public final class PolicyLoss implements AutoCloseable {
    /** The log-ratio is held within 20 nats: beyond, its exponential would overflow and the gradient of a bounded loss be 0 times infinity. */
    private static final String SCRIPT = """
              def policy_loss(self: __torch__.M, logp: Tensor, old: Tensor, advantage: Tensor, lowest: float, highest: float, dual: float) -> Tensor:
                ratio = torch.exp(torch.clamp(torch.sub(logp, old), -20., 20.))
                clipped = torch.clamp(ratio, lowest, highest)
                loss = torch.maximum(torch.neg(torch.mul(ratio, advantage)), torch.neg(torch.mul(clipped, advantage)))
                bounded = torch.minimum(loss, torch.mul(advantage, torch.neg(dual)))
                return torch.sum(torch.where(torch.lt(advantage, 0.), bounded, loss))
            """;

    private final Script script = Script.compile(SCRIPT);
    private final Clip clip;

    public PolicyLoss(Clip clip) {
        this.clip = clip;
    }

    /**
     * The summed loss of some tokens.
     *
     * @param logProbabilities of the current policy, with a graph, {@code [tokens]}
     * @param old log-probabilities of the policy that sampled, {@code [tokens]}
     * @param advantages {@code [tokens]}
     * @return a scalar with a graph
     */
    public NDArray of(NDManager scope, NDArray logProbabilities, NDArray old, NDArray advantages) {
        return script.tensor(
                scope, "policy_loss", logProbabilities, old, advantages, 1 - clip.low(), 1 + clip.high(), clip.dual());
    }

    @Override
    public void close() {
        script.close();
    }
}
