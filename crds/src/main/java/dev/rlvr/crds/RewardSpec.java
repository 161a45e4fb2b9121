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

/** How an answer is verified: 1 for a right answer, 0 for a wrong one, before shaping. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RewardSpec(
        @Required
        @JsonPropertyDescription("Math (symbolic equality), Numeric (last number equals), Exact (same text), Regex,"
                + " Code (runs tests) or Http (asks a service).")
        Verifier verifier,

        @Size(min = 1, max = 4096)
        @JsonPropertyDescription("Regular expression searched in the response; its first group is what is compared with"
                + " the answer. Without it the verifier looks at the whole response.")
        @Nullable
        String answerPattern,

        @Default("10s")
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE, message = Durations.MESSAGE)
        @JsonPropertyDescription("Hard limit for one verdict; a verdict that takes longer counts as timed out, not as"
                + " wrong. Default 10s.")
        String timeout,

        @JsonPropertyDescription("Soft penalty for long answers (DAPO). Default none.") @Nullable
        Overlong overlong) {

    /** Ways to verify an answer. */
    public enum Verifier {
        Math,
        Numeric,
        Exact,
        Regex,
        Code,
        Http
    }

    /** DAPO's soft overlong punishment (arXiv 2503.14476, Eq. 13). */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(value = "self.cacheTokens < self.maxTokens", message = "cacheTokens must be less than maxTokens")
    public record Overlong(
            @Required
            @Min(1)
            @Max(1048576)
            @JsonPropertyDescription("Length in tokens at which the whole penalty applies.")
            int maxTokens,

            @Required
            @Min(1)
            @Max(1048576)
            @JsonPropertyDescription("Length in tokens, before maxTokens, over which the penalty grows from 0.")
            int cacheTokens,

            @Default("1.0")
            @Min(value = 0, inclusive = false)
            @JsonPropertyDescription("Reward taken from an answer of maxTokens. Default 1.0.")
            double penalty) {}
}
