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

/** A held-out problem set; its fields and template are those of {@code spec.data}. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "self.temperature > 0.0 || self.samples == 1",
        message = "samples above 1 with temperature 0 would repeat one greedy answer; set samples: 1")
public record EvaluationSpec(
        @Required
        @Size(min = 1, max = 63)
        @ValidationRule(
                value = "self.matches('^" + Metadata.DNS_LABEL + "$')",
                message = "is not a name of lower-case letters, digits and '-'")
        @JsonPropertyDescription("Name in metrics and status.")
        String name,

        @Required
        @Size(max = Source.MAX_LENGTH)
        @ValidationRule(value = Source.DATA_RULE, message = Source.DATA_MESSAGE)
        @JsonPropertyDescription("JSONL or Parquet file of problems, as in spec.data.source.")
        String source,

        @Default("10")
        @Min(0)
        @Max(10_000_000)
        @JsonPropertyDescription(
                "Measure after every so many steps; 0 only before the first step and at the end. Default 10.")
        int everySteps,

        @Default("16") @Min(1) @Max(1024) @JsonPropertyDescription("Answers per problem. Default 16.")
        int samples,

        @Default("1.0")
        @Min(0)
        @Max(100)
        @JsonPropertyDescription("Softmax temperature; 0 decodes greedily. Default 1.0.")
        double temperature,

        @Min(1)
        @Max(1_000_000_000)
        @JsonPropertyDescription("Take only the first so many problems. Default all.")
        @Nullable
        Integer maxProblems) {}
