package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.crd.generator.annotation.SchemaFrom;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How answers are sampled from the policy. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "self.maxStaleness == 0 || self.engine != 'Embedded'",
        message =
                "maxStaleness 1 needs rollout servers: with engine Embedded sampling and updating take turns; use 0, or"
                        + " another engine")
@ValidationRule(
        value = "self.engine != 'Vllm' || has(self.servers) && (has(self.servers.image) || has(self.servers.urls))",
        message = "engine Vllm needs servers.image, an image of vLLM, or servers.urls, servers that run already")
@ValidationRule(
        value = "self.engine != 'Vllm' || self.topP == 1.0 && self.topK == 0 && self.temperature >= 0.01",
        message = "engine Vllm needs topP 1 and topK 0, for else its log-probabilities are not over all tokens, and a"
                + " temperature from 0.01, for below it takes that; or choose another engine")
@ValidationRule(
        value = "self.engine != 'Vllm' || self.maxStaleness == 0",
        message = "engine Vllm needs maxStaleness 0, for its answers are compared with the policy that they have to be"
                + " from; or choose another engine")
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

        @Default("0")
        @Min(0)
        @Max(1)
        @JsonPropertyDescription(
                "Steps by which the policy may be ahead of the one that sampled an answer. 0: strictly on-policy; 1: the next"
                        + " batch is sampled by the servers while the policy is updated on this one. Default 0.")
        int maxStaleness,

        @JsonPropertyDescription("The rollout servers; only with engine Sglang or Vllm. Default: one pod.") @Nullable
        Servers servers) {

    /** Where servers that somebody else runs listen; empty where there are none. */
    public List<String> serverUrls() {
        return servers == null || servers.urls() == null ? List.of() : servers.urls();
    }

    /** The servers that run in pods of their own; empty where the trainer samples, or where somebody else runs servers. */
    public Optional<Servers> ownServers() {
        if (engine == Engine.Embedded || !serverUrls().isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(servers == null ? Servers.ONE : servers);
    }

    /** What decides which answers are sampled: the same wherever that is done. */
    public RolloutSpec withoutServers() {
        return new RolloutSpec(Engine.Embedded, temperature, topP, topK, maxResponseTokens, maxStaleness, null);
    }

    /** Where sampling runs. */
    public enum Engine {
        Embedded,
        Sglang,
        Vllm
    }

    /** Rollout servers: in pods of their own, or run by somebody else. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "!has(self.urls) || self.urls.all(url, url.matches('^https?://[^/?# ]+/?$'))",
            message = "urls must be of the form http://HOST:PORT")
    @ValidationRule(
            value = "!has(self.urls) || self.replicas == 1 && self.gpusPerReplica == 1"
                    + " && self.gpuResource == 'nvidia.com/gpu' && !has(self.image) && !has(self.resources)"
                    + " && !has(self.extraArgs) && !has(self.podTemplate)",
            message =
                    "replicas, gpusPerReplica, gpuResource, image, resources, extraArgs and podTemplate have no effect"
                            + " with urls, which name servers that run already; remove them")
    @ValidationRule(
            value = "self.gpusPerReplica > 0 || self.gpuResource == 'nvidia.com/gpu'",
            message = "gpuResource has no effect with gpusPerReplica: 0; remove it")
    @ValidationRule(
            value =
                    "!has(self.resources) || !has(self.resources.limits) || !(self.gpuResource in self.resources.limits)",
            message = "resources.limits must not name the GPU resource; gpusPerReplica adds it")
    @ValidationRule(
            value = "!has(self.extraArgs) || self.extraArgs.all(argument,"
                    + " !argument.matches('^--(host|port|model|model-path|weight-version)(=.*)?$'))",
            message = "extraArgs must not have --host, --port, --model, --model-path or --weight-version, which are"
                    + " given to each server")
    public record Servers(
            @Size(min = 1, max = 256)
            @JsonPropertyDescription(
                    "Servers that somebody else runs, http://HOST:PORT each; they read weights from the trainer's work"
                            + " folder under the same path. Default: pods that the operator starts.")
            @Nullable
            List<@Size(min = 1, max = 1024) String> urls,

            @Default("1") @Min(1) @Max(1024) @JsonPropertyDescription("Server pods. Default 1.")
            int replicas,

            @Default("1")
            @Min(0)
            @Max(16)
            @JsonPropertyDescription("GPUs per server pod; 0 samples on CPUs. Default 1.")
            int gpusPerReplica,

            @Default("nvidia.com/gpu")
            @Size(min = 1, max = 317)
            @JsonPropertyDescription("Extended resource that stands for a GPU. Default nvidia.com/gpu.")
            String gpuResource,

            @Size(min = 1, max = 1024)
            @JsonPropertyDescription(
                    "Container image of SGLang, or of vLLM from 0.32 with engine Vllm. Default with Sglang:"
                            + " the trainer's image, which has a server that speaks the same interface.")
            @Nullable
            String image,

            @JsonPropertyDescription("Compute resources of a server; GPUs are added by gpusPerReplica.") @Nullable
            ResourceRequirements resources,

            @Size(min = 1, max = 64)
            @JsonPropertyDescription("More arguments of the server's command line, one word each.")
            @Nullable
            List<@Size(min = 1, max = 1024) String> extraArgs,

            @PreserveUnknownFields
            @SchemaFrom(type = Map.class)
            @JsonPropertyDescription("Strategic-merge patch over the generated pod template, as trainer.podTemplate is;"
                    + " the container is called server.")
            @Nullable
            JsonNode podTemplate) {
        /** One pod with every default. */
        static final Servers ONE = new Servers(null, 1, 1, "nvidia.com/gpu", null, null, null, null);

        /** Arguments that the user adds; empty where there are none. */
        public List<String> arguments() {
            return extraArgs == null ? List.of() : extraArgs;
        }
    }
}
