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
        value = "self.model == oldSelf.model && self.data == oldSelf.data && self.reward == oldSelf.reward",
        message = "spec.model, spec.data and spec.reward cannot change once the job exists; create a new RLVRJob")
@ValidationRule(
        value = "self.algorithm == oldSelf.algorithm && self.rollout == oldSelf.rollout",
        message = "spec.algorithm and spec.rollout cannot change once the job exists; create a new RLVRJob, with"
                + " spec.checkpoint.resumeFrom to start from this one's weights")
@ValidationRule(
        value = "self.lifecycle.suspend || oldSelf.lifecycle.suspend || self.trainer == oldSelf.trainer",
        message = "spec.trainer can only change while the job is suspended; set spec.lifecycle.suspend: true first")
@ValidationRule(
        value = "self.checkpoint.volume == oldSelf.checkpoint.volume",
        message = "spec.checkpoint.volume cannot change once the job exists: the checkpoints are on it")
@ValidationRule(
        value = "self.rollout.engine != 'Embedded' || !has(self.rollout.servers)",
        message = "spec.rollout.servers has no effect with engine Embedded; remove it or choose Sglang or Vllm")
public record RLVRJobSpec(
        @Required @JsonPropertyDescription("The language model to train.")
        ModelSpec model,

        @Required @JsonPropertyDescription("The problems to train on.")
        DataSpec data,

        @Required @JsonPropertyDescription("How an answer is verified and what it earns.")
        RewardSpec reward,

        @Default("{}") @JsonPropertyDescription("How the policy is updated.")
        AlgorithmSpec algorithm,

        @Default("{}") @JsonPropertyDescription("How answers are sampled.")
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
        LifecycleSpec lifecycle) {}
