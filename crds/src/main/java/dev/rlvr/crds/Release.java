package dev.rlvr.crds;

import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens.EntropyFrom;
import dev.rlvr.crds.AlgorithmSpec.Objective;
import dev.rlvr.crds.RewardSpec.Verifier;
import dev.rlvr.crds.RolloutSpec.Engine;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What the API already has and the trainer of this release cannot do yet. */
public final class Release {
    private static final Set<Verifier> VERIFIERS = EnumSet.of(Verifier.Numeric, Verifier.Exact);

    private final List<String> problems = new ArrayList<>();

    private Release() {}

    /**
     * What a spec asks for in vain: one line each with field, value and remedy; empty where this release can run it.
     *
     * @param spec a spec with the schema's defaults applied
     */
    public static List<String> unsupported(RLVRJobSpec spec) {
        Release release = new Release();
        release.algorithm(spec.algorithm());
        release.sampling(spec.rollout(), spec.algorithm().forkingTokens());
        release.reward(spec.reward());
        return List.copyOf(release.problems);
    }

    private void algorithm(AlgorithmSpec of) {
        refuse(of.objective() != Objective.DAPO, "algorithm.objective", of.objective(), "use DAPO");
        refuse(of.klCoefficient() != 0, "algorithm.klCoefficient", of.klCoefficient(), "use 0");
        refuse(of.entropyCoefficient() != 0, "algorithm.entropyCoefficient", of.entropyCoefficient(), "use 0");
    }

    private void sampling(RolloutSpec rollout, ForkingTokens tokens) {
        if (rollout.engine() != Engine.Embedded) {
            refuse(
                    tokens.entropyFrom() == EntropyFrom.Rollout,
                    "algorithm.forkingTokens.entropyFrom",
                    tokens.entropyFrom() + " with rollout.engine " + rollout.engine(),
                    "servers do not say entropies; use Current");
        }
        if (rollout.engine() == Engine.Sglang) {
            rollout.ownServers().ifPresent(this::servers);
        }
    }

    private void servers(RolloutSpec.Servers servers) {
        refuse(
                servers.image() == null && servers.gpusPerReplica() != 0,
                "rollout.servers.gpusPerReplica",
                servers.gpusPerReplica() + " without rollout.servers.image",
                "name an image of SGLang, or use 0 (CPU)");
    }

    private void reward(RewardSpec reward) {
        refuse(!VERIFIERS.contains(reward.verifier()), "reward.verifier", reward.verifier(), "use Numeric or Exact");
    }

    private void refuse(boolean unsupported, String field, Object value, String remedy) {
        if (unsupported) {
            problems.add("spec." + field + ": " + value + " is not in this release; " + remedy);
        }
    }
}
