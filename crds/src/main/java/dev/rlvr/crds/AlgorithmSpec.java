package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** How the policy is updated. The defaults are those of the paper (arXiv 2506.01939). */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "self.promptsPerBatch % self.miniBatchPrompts == 0",
        message = "promptsPerBatch must be a multiple of miniBatchPrompts")
public record AlgorithmSpec(
        @Default("DAPO") @JsonPropertyDescription("Policy objective. Default DAPO.")
        Objective objective,

        @Default("1000") @Min(1) @Max(10_000_000) @JsonPropertyDescription("Rollout batches to train on. Default 1000.")
        int steps,

        @Default("512") @Min(1) @Max(65536) @JsonPropertyDescription("Problems per rollout batch. Default 512.")
        int promptsPerBatch,

        @Default("16") @Min(2) @Max(1024) @JsonPropertyDescription("Answers sampled per problem. Default 16.")
        int groupSize,

        @Default("32") @Min(1) @Max(65536) @JsonPropertyDescription("Problems per gradient step. Default 32.")
        int miniBatchPrompts,

        @Default("1") @Min(1) @Max(100) @JsonPropertyDescription("Passes over each rollout batch. Default 1.")
        int epochsPerBatch,

        @Default("{}") @JsonPropertyDescription("AdamW.") Optimizer optimizer,

        @Default("{}") @JsonPropertyDescription("Bounds of the importance ratio.")
        Clip clip,

        @Default("{}")
        @JsonPropertyDescription(
                "Forking tokens (arXiv 2506.01939): which generated tokens take part in the update. The paper keeps the"
                        + " 20 % with the highest entropy, where the model decides how to go on.")
        ForkingTokens forkingTokens,

        @Default("{}")
        @JsonPropertyDescription("Groups that are all right or all wrong carry no signal: drop and refill.")
        DynamicSampling dynamicSampling,

        @Default("0") @Min(0) @JsonPropertyDescription("Weight of the KL penalty against the base model. Default 0.")
        double klCoefficient,

        @Default("0") @Min(0) @JsonPropertyDescription("Weight of the entropy bonus. Default 0.")
        double entropyCoefficient,

        @Default("0") @JsonPropertyDescription("Seed of all sampling. Default 0.")
        long seed) {

    /** Policy objectives by the name of their paper. */
    public enum Objective {
        GRPO,
        DAPO,
        DrGRPO,
        GSPO,
        CISPO,
        RLOO,
        ReinforcePlusPlus
    }

    /** AdamW as PyTorch defines it, with gradient-norm clipping and warm-up. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Optimizer(
            @Default("0.000001")
            @Min(value = 0, inclusive = false)
            @Max(1)
            @JsonPropertyDescription("Peak learning rate. Default 1e-6.")
            double learningRate,

            @Default("10")
            @Min(0)
            @Max(10_000_000)
            @JsonPropertyDescription("Steps (rollout batches) over which the learning rate grows linearly. Default 10.")
            int warmupSteps,

            @Default("0.1") @Min(0) @JsonPropertyDescription("Decoupled weight decay; norms are exempt. Default 0.1.")
            double weightDecay,

            @Default("0.9")
            @Min(0)
            @Max(value = 1, inclusive = false)
            @JsonPropertyDescription("Decay of the first moment. Default 0.9.")
            double beta1,

            @Default("0.999")
            @Min(0)
            @Max(value = 1, inclusive = false)
            @JsonPropertyDescription("Decay of the second moment. Default 0.999.")
            double beta2,

            @Default("0.00000001")
            @Min(value = 0, inclusive = false)
            @JsonPropertyDescription("Added to the denominator. Default 1e-8.")
            double epsilon,

            @Default("1.0") @Min(0) @JsonPropertyDescription("Largest gradient norm; 0 does not clip. Default 1.0.")
            double gradientClip,

            @Default("Constant") @JsonPropertyDescription("Learning rate after the warm-up. Default Constant.")
            Schedule schedule) {

        /** Shape of the learning rate after the warm-up; Linear and Cosine end at 0 after the last step. */
        public enum Schedule {
            Constant,
            Linear,
            Cosine
        }
    }

    /** Bounds of the importance ratio. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Clip(
            @Default("0.2")
            @Min(0)
            @Max(1)
            @JsonPropertyDescription("The ratio is clipped below at 1 - low. Default 0.2.")
            double low,

            @Default("0.28")
            @Min(0)
            @JsonPropertyDescription("The ratio is clipped above at 1 + high (clip-higher). Default 0.28.")
            double high,

            @Default("10")
            @Min(value = 1, inclusive = false)
            @JsonPropertyDescription(
                    "Dual clip: bound of the loss for negative advantages, as a multiple of the advantage; over"
                            + " 1. Default 10.")
            double dual,

            @Default("2")
            @Min(1)
            @JsonPropertyDescription(
                    "Bound of a token's weight where rollout.maxStaleness lets an older policy sample (truncated"
                            + " importance sampling). Default 2.")
            double importance) {}

    /** The paper's forking-token mask. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "!(has(self.fraction) && has(self.entropyThreshold))",
            message = "fraction and entropyThreshold exclude each other; keep one")
    @ValidationRule(
            value = "self.select != 'All' || !(has(self.fraction) || has(self.entropyThreshold))",
            message = "select All keeps every token; remove fraction and entropyThreshold")
    @ValidationRule(
            value = "self.select != 'Random' || !has(self.entropyThreshold)",
            message = "select Random takes a fraction, not an entropyThreshold")
    @ValidationRule(
            value = "self.select != 'All' || (self.scope == 'MiniBatch' && self.denominator == 'Kept')",
            message = "scope and denominator have no effect with select All, which keeps every token; remove them")
    @ValidationRule(
            value = "self.scope == 'MiniBatch' || !has(self.entropyThreshold)",
            message = "scope has no effect with an entropyThreshold, which takes no share; remove one of them")
    @ValidationRule(
            value = "self.entropyFrom == 'Current' || self.select in ['HighestEntropy', 'LowestEntropy']",
            message = "entropyFrom has no effect with select Random and All, which read no entropy; remove it")
    public record ForkingTokens(
            @Default("HighestEntropy")
            @JsonPropertyDescription("HighestEntropy (the paper), LowestEntropy and Random (its controls) or All (plain"
                    + " objective). Default HighestEntropy.")
            Select select,

            @Min(value = 0, inclusive = false)
            @Max(1)
            @JsonPropertyDescription("Share of generated tokens to keep, over 0 and at most 1. Default 0.2 where"
                    + " entropyThreshold is not set.")
            @Nullable
            Double fraction,

            @Min(0)
            @JsonPropertyDescription(
                    "Keep tokens at or above (LowestEntropy: at or below) this entropy in nats instead of"
                            + " a share.")
            @Nullable
            Double entropyThreshold,

            @Default("MiniBatch")
            @JsonPropertyDescription("Tokens among which the share is taken: MiniBatch (over all ranks), MicroBatch or"
                    + " Sequence. Default MiniBatch.")
            Scope scope,

            @Default("Kept")
            @JsonPropertyDescription(
                    "What the token mean divides by: the Kept tokens (the paper) or All. Default Kept.")
            Denominator denominator,

            @Default("Current")
            @JsonPropertyDescription(
                    "Policy whose entropy counts: Current (the paper) or Rollout (cheaper, approximate)."
                            + " Default Current.")
            EntropyFrom entropyFrom) {

        /** Share kept where neither a fraction nor a threshold is given. */
        public static final double DEFAULT_FRACTION = 0.2;

        /** Which tokens are kept. */
        public enum Select {
            HighestEntropy,
            LowestEntropy,
            Random,
            All
        }

        /** Where the quantile is taken. */
        public enum Scope {
            MiniBatch,
            MicroBatch,
            Sequence
        }

        /** What the token mean divides by. */
        public enum Denominator {
            Kept,
            All
        }

        /** Policy whose entropies select. */
        public enum EntropyFrom {
            Current,
            Rollout
        }
    }

    /** DAPO's dynamic sampling: a batch is refilled until enough groups carry a signal. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "self.enabled || self.maxRefills == 10",
            message = "maxRefills has no effect where enabled is false; remove it")
    public record DynamicSampling(
            @Default("true")
            @JsonPropertyDescription("Leave out groups whose answers are all right or all wrong. Default true.")
            boolean enabled,

            @Default("10")
            @Min(0)
            @Max(1000)
            @JsonPropertyDescription(
                    "Rollouts that may follow the first to fill a batch; after them the step goes on with"
                            + " what there is. Default 10.")
            int maxRefills) {}
}
