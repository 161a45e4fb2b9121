package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Problems with answers that can be verified: one object or row each. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DataSpec(
        @Required
        @Size(max = Source.MAX_LENGTH)
        @ValidationRule(value = Source.DATA_RULE, message = Source.DATA_MESSAGE)
        @JsonPropertyDescription("JSONL or Parquet file of problems (.jsonl, .parquet): hf://datasets/ORG/NAME/PATH"
                + " (hf://datasets/ORG/NAME@REVISION/PATH), pvc://CLAIM/PATH, file:///PATH or bundled://NAME.")
        String source,

        @Size(min = 1, max = 253)
        @JsonPropertyDescription(
                "Secret in the job's namespace whose key 'token' opens private hf:// data sets, those of"
                        + " spec.evaluation too. Default: that of spec.model.secretName.")
        @Nullable
        String secretName,

        @Default("prompt")
        @Size(min = 1, max = 256)
        @JsonPropertyDescription("Field that holds the prompt; dots reach into nested objects. Default prompt.")
        String promptField,

        @Default("answer")
        @Size(min = 1, max = 256)
        @JsonPropertyDescription(
                "Field that holds the reference answer; dots reach into nested objects. Default answer.")
        String answerField,

        @Default("\"{prompt}\"")
        @Size(max = 65536)
        @ValidationRule(
                value = "self.contains('{prompt}')",
                message = "must contain {prompt}, which stands for the problem")
        @JsonPropertyDescription("Text given to the model; {prompt} stands for the problem. Default {prompt}.")
        String promptTemplate,

        @Default("2048")
        @Min(1)
        @Max(1048576)
        @JsonPropertyDescription("Longest prompt in tokens; longer problems are left out and counted. Default 2048.")
        int maxPromptTokens,

        @Default("0") @JsonPropertyDescription("Seed of the order of problems. Default 0.")
        long shuffleSeed) {}
