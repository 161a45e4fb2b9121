package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import org.jspecify.annotations.Nullable;

/** How answers are sampled from the policy. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RolloutSpec(
        @Default("Embedded")
        @JsonPropertyDescription(
                "Embedded (in the trainer), Sglang or Vllm (servers in pods of their own). Default Embedded.")
        Engine engine,

        @Default("1.0")
        @Min(value = 0, inclusive = false)
        @Max(100)
        @JsonPropertyDescription("Softmax temperature; entropies are taken at it too. Default 1.0.")
        double temperature,

        @Default("1.0")
        @Min(value = 0, inclusive = false)
        @Max(1)
        @JsonPropertyDescription("Smallest set of tokens with this probability is sampled from. Default 1.0.")
        double topP,

        @Default("0")
        @Min(0)
        @Max(10_000_000)
        @JsonPropertyDescription("Sample from the k likeliest tokens; 0 is off. Default 0.")
        int topK,

        @Default("20480") @Min(1) @Max(1048576) @JsonPropertyDescription("Longest answer in tokens. Default 20480.")
        int maxResponseTokens,

        @JsonPropertyDescription("The rollout servers; only with engine Sglang or Vllm.") @Nullable
        Servers servers) {

    /** Where sampling runs. */
    public enum Engine {
        Embedded,
        Sglang,
        Vllm
    }

    /** Rollout servers in pods of their own. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Servers(
            @Default("1") @Min(1) @Max(4096) @JsonPropertyDescription("Server pods. Default 1.")
            int replicas,

            @Default("1") @Min(0) @Max(16) @JsonPropertyDescription("GPUs per server pod. Default 1.")
            int gpusPerReplica,

            @Size(min = 1, max = 1024)
            @JsonPropertyDescription("Container image. Default: the engine's published image.")
            @Nullable
            String image,

            @JsonPropertyDescription("Compute resources of a server.") @Nullable
            ResourceRequirements resources) {}
}
