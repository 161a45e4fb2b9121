package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** Problems with answers that can be verified: one object or row each. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record DataSpec(
        @Required
        @Size(max = Source.MAX_LENGTH)
        @ValidationRule(value = Source.RULE, message = Source.MESSAGE)
        @JsonPropertyDescription("JSONL or Parquet file of problems (.jsonl, .parquet): hf://, pvc://CLAIM/PATH,"
                + " file:///PATH or bundled://NAME.")
        String source,

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
