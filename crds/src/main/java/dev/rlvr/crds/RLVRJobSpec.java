package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the user asks for. Read through {@link Manifest}, which applies the schema's defaults: then only fields marked nullable are null. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "self.lifecycle.suspend || oldSelf.lifecycle.suspend || self.trainer == oldSelf.trainer",
        message = "trainer can only change while the job is suspended; set lifecycle.suspend: true first")
@ValidationRule(
        value = "self.lifecycle.suspend || oldSelf.lifecycle.suspend || self.checkpoint == oldSelf.checkpoint",
        message = "checkpoint can only change while the job is suspended; set lifecycle.suspend: true first")
@ValidationRule(
        value = "self.lifecycle.suspend || oldSelf.lifecycle.suspend || (has(self.evaluation) ?"
                + " has(oldSelf.evaluation) && self.evaluation == oldSelf.evaluation : !has(oldSelf.evaluation))",
        message = "evaluation can only change while the job is suspended; set lifecycle.suspend: true first")
@ValidationRule(
        value = "self.lifecycle.suspend || oldSelf.lifecycle.suspend || (has(self.rollout.servers) ?"
                + " has(oldSelf.rollout.servers) && self.rollout.servers == oldSelf.rollout.servers"
                + " : !has(oldSelf.rollout.servers))",
        message = "rollout.servers can only change while the job is suspended; set lifecycle.suspend: true first")
@ValidationRule(
        value = "has(self.checkpoint.resumeFrom) ? has(oldSelf.checkpoint.resumeFrom)"
                + " && self.checkpoint.resumeFrom == oldSelf.checkpoint.resumeFrom"
                + " : !has(oldSelf.checkpoint.resumeFrom)",
        message = "checkpoint.resumeFrom cannot change once the job exists; create a new RLVRJob")
@ValidationRule(
        value = "self.rollout.engine != 'Embedded' || !has(self.rollout.servers)",
        message = "rollout.servers has no effect with engine Embedded; remove it or choose Sglang or Vllm")
@ValidationRule(
        value = "!has(self.reward.overlong) || self.reward.overlong.maxTokens - self.reward.overlong.cacheTokens"
                + " < self.rollout.maxResponseTokens",
        message = "reward.overlong has no effect: it begins after maxTokens - cacheTokens, which no answer of"
                + " rollout.maxResponseTokens reaches")
public record RLVRJobSpec(
        @Required
        @ValidationRule(value = "self == oldSelf", message = RLVRJobSpec.FIXED)
        @JsonPropertyDescription("The language model to train.")
        ModelSpec model,

        @Required
        @ValidationRule(value = "self == oldSelf", message = RLVRJobSpec.FIXED)
        @JsonPropertyDescription("The problems to train on.")
        DataSpec data,

        @Required
        @ValidationRule(value = "self == oldSelf", message = RLVRJobSpec.FIXED)
        @JsonPropertyDescription("How an answer is verified and what it earns.")
        RewardSpec reward,

        @Default("{}")
        @ValidationRule(value = "self == oldSelf", message = RLVRJobSpec.FIXED)
        @JsonPropertyDescription("How the policy is updated.")
        AlgorithmSpec algorithm,

        @Default("{}")
        @ValidationRule(
                value = "self.engine == oldSelf.engine && self.temperature == oldSelf.temperature"
                        + " && self.topP == oldSelf.topP && self.topK == oldSelf.topK"
                        + " && self.maxResponseTokens == oldSelf.maxResponseTokens",
                message = RLVRJobSpec.FIXED)
        @JsonPropertyDescription("How answers are sampled.")
        RolloutSpec rollout,

        @Size(max = 16)
        @JsonPropertyDescription(
                "Held-out problem sets, measured before the first step, at the end and every everySteps.")
        @Nullable
        List<EvaluationSpec> evaluation,

        @Default("{}") @JsonPropertyDescription("The pods that train.")
        TrainerSpec trainer,

        @Default("{}") @JsonPropertyDescription("Where and how often training state is saved.")
        CheckpointSpec checkpoint,

        @Default("{}") @JsonPropertyDescription("Suspension, deadlines, restarts and clean-up.")
        LifecycleSpec lifecycle) {
    static final String FIXED =
            "cannot change once the job exists; create a new RLVRJob (spec.checkpoint.resumeFrom starts"
                    + " it from this one's checkpoint)";
}
