package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;
import java.util.stream.Stream;
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
        value = "self.lifecycle.suspend || oldSelf.lifecycle.suspend || (has(self.hubCache) ?"
                + " has(oldSelf.hubCache) && self.hubCache == oldSelf.hubCache : !has(oldSelf.hubCache))",
        message = "hubCache can only change while the job is suspended; set lifecycle.suspend: true first")
@ValidationRule(
        value = "!has(self.hubCache) || self.model.source.startsWith('hf://') || self.data.source.startsWith('hf://')"
                + " || (has(self.evaluation) && self.evaluation.exists(set, set.source.startsWith('hf://')))",
        message = "hubCache has no effect without an hf:// source; remove it")
@ValidationRule(
        value = "!has(self.data.secretName) || self.data.source.startsWith('hf://')"
                + " || (has(self.evaluation) && self.evaluation.exists(set, set.source.startsWith('hf://')))",
        message = "data.secretName has no effect without an hf:// source of data or evaluation; remove it")
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

        @JsonPropertyDescription(
                "Where hf:// sources are downloaded to, once. Default: folder hub of the checkpoint volume.")
        @Nullable
        HubCacheSpec hubCache,

        @Default("{}") @JsonPropertyDescription("The pods that train.")
        TrainerSpec trainer,

        @Default("{}") @JsonPropertyDescription("Where and how often training state is saved.")
        CheckpointSpec checkpoint,

        @Default("{}") @JsonPropertyDescription("Suspension, deadlines, restarts and clean-up.")
        LifecycleSpec lifecycle) {
    /** The held-out sets; empty where there are none. */
    public List<EvaluationSpec> evaluations() {
        return evaluation == null ? List.of() : evaluation;
    }

    /** Whether anything has to be downloaded from a hub before the trainer can start. */
    public boolean fetches() {
        return Stream.concat(
                        Stream.of(model.source(), data.source()),
                        evaluations().stream().map(EvaluationSpec::source))
                .anyMatch(source -> Source.parse(source).scheme() == Source.Scheme.HF);
    }

    static final String FIXED =
            "cannot change once the job exists; create a new RLVRJob (spec.checkpoint.resumeFrom starts"
                    + " it from this one's checkpoint)";
}
