package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.crd.generator.annotation.SchemaFrom;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The pods that train: one process (rank) per GPU, or {@code ranksPerReplica} processes on CPUs. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value = "self.gpusPerReplica == 0 || self.ranksPerReplica == 1",
        message = "ranksPerReplica is for CPUs (gpusPerReplica: 0); with GPUs there is one rank per GPU")
@ValidationRule(
        value = "self.gpusPerReplica > 0 || self.gpuResource == 'nvidia.com/gpu'",
        message = "gpuResource has no effect with gpusPerReplica: 0; remove it")
@ValidationRule(
        value = "!has(self.resources) || !has(self.resources.limits) || !(self.gpuResource in self.resources.limits)",
        message = "resources.limits must not name the GPU resource; gpusPerReplica adds it")
@ValidationRule(
        value =
                "self.sharding != 'Hybrid' || (self.replicas > 1 && (self.gpusPerReplica > 1 || self.ranksPerReplica > 1))",
        message = "sharding: Hybrid is for several pods of several ranks; use Parameters")
@ValidationRule(
        value =
                "self.reducePrecision == 'F32' || self.replicas > 1 || self.gpusPerReplica > 1 || self.ranksPerReplica > 1",
        message = "reducePrecision is of gradients that travel between ranks and there is only one; use F32")
@ValidationRule(
        value = "self.sharding == 'None' || self.replicas > 1 || self.gpusPerReplica > 1 || self.ranksPerReplica > 1",
        message = "sharding splits over ranks and there is only one; use sharding: None")
public record TrainerSpec(
        @Default("1") @Min(1) @Max(4096) @JsonPropertyDescription("Trainer pods. Default 1.")
        int replicas,

        @Default("1")
        @Min(0)
        @Max(16)
        @JsonPropertyDescription("GPUs per pod, one rank each; 0 trains on CPUs. Default 1.")
        int gpusPerReplica,

        @Default("1") @Min(1) @Max(64) @JsonPropertyDescription("Ranks per pod where gpusPerReplica is 0. Default 1.")
        int ranksPerReplica,

        @Default("0")
        @Min(0)
        @Max(1024)
        @JsonPropertyDescription(
                "CPU threads per rank; 0 shares the pod's cores among its ranks. Results are reproducible to"
                        + " the bit for a fixed number of threads. Default 0.")
        int threadsPerRank,

        @Default("nvidia.com/gpu")
        @Size(min = 1, max = 317)
        @JsonPropertyDescription("Extended resource that stands for a GPU. Default nvidia.com/gpu.")
        String gpuResource,

        @Size(min = 1, max = 1024)
        @JsonPropertyDescription("Trainer image. Default: the image the operator is configured with.")
        @Nullable
        String image,

        @JsonPropertyDescription("Compute resources of the trainer container; GPUs are added by gpusPerReplica.")
        @Nullable
        ResourceRequirements resources,

        @Default("F32") @JsonPropertyDescription("F32, or BF16 with F32 master weights. Default F32.")
        Precision precision,

        @Default("None")
        @JsonPropertyDescription("What is split over the ranks: None, Optimizer, Gradients or Parameters (ZeRO 0 to 3);"
                + " Hybrid splits parameters over the ranks of each pod and keeps a copy per pod. Default None.")
        Sharding sharding,

        @Default("F32")
        @JsonPropertyDescription(
                "Number format in which gradients travel between ranks: F32 or BF16; they are summed in F32."
                        + " Default F32.")
        Precision reducePrecision,

        @Default("16384")
        @Min(1)
        @Max(1_000_000_000)
        @JsonPropertyDescription("Tokens, padding included, of one forward and backward pass. Default 16384.")
        int microBatchTokens,

        @Default("Auto")
        @JsonPropertyDescription(
                "Whether backward runs each layer's forward again instead of keeping what it computed: Always (least"
                        + " memory), Never (fastest) or Auto, which keeps what fits. The result is the same to the bit."
                        + " Default Auto.")
        Recomputation recomputation,

        @PreserveUnknownFields
        @SchemaFrom(type = Map.class)
        @JsonPropertyDescription(
                "Strategic-merge patch over the generated pod template (metadata and spec). Names and fields"
                        + " that the operator reserves are rejected.")
        @Nullable
        JsonNode podTemplate,

        @JsonPropertyDescription(
                "Starts the pods of an attempt together or not at all: the operator makes a PodGroup for each"
                        + " attempt and names it in the pods. Default: the pods start one by one.")
        @Nullable
        Gang gang) {

    /** Ranks of each pod: one for each of its GPUs, or as many as asked for on CPUs. */
    public int ranksPerPod() {
        return gpusPerReplica > 0 ? gpusPerReplica : ranksPerReplica;
    }

    /** Ranks of all pods. */
    public int ranks() {
        return replicas * ranksPerPod();
    }

    /** Threads of a rank: as many as asked for, else its share of the cores. */
    public int threads(int cores, int ranks) {
        return threadsPerRank > 0 ? threadsPerRank : Math.max(1, cores / ranks);
    }

    /** Number format of matrix products. */
    public enum Precision {
        F32,
        BF16
    }

    /** When a layer's forward is run again in backward. */
    public enum Recomputation {
        Auto,
        Always,
        Never
    }

    /** ZeRO stages by what they split over all ranks; Hybrid splits like Parameters, but within each pod. */
    public enum Sharding {
        None,
        Optimizer,
        Gradients,
        Parameters,
        Hybrid;

        /** Whether each rank holds the moments of its share alone. */
        public boolean splitsOptimizer() {
            return this != None;
        }

        /** Whether each rank holds the gradients of its share alone. */
        public boolean splitsGradients() {
            return splitsOptimizer() && this != Optimizer;
        }

        /** Whether each rank holds the weights of its share alone. */
        public boolean splitsWeights() {
            return splitsGradients() && this != Gradients;
        }
    }

    /** A scheduler that starts pods together, and what it has to know. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "self.scheduler == 'Volcano' || !has(self.queue)",
            message = "queue has no effect with scheduler Coscheduling; remove it")
    public record Gang(
            @Required
            @JsonPropertyDescription(
                    "Volcano, or Coscheduling (the plugin of scheduler-plugins); it must be installed.")
            Scheduler scheduler,

            @Size(min = 1, max = 253)
            @JsonPropertyDescription("Volcano queue of the PodGroup. Default: Volcano's own default queue.")
            @Nullable
            String queue) {
        /** Whose PodGroup is made. */
        public enum Scheduler {
            Volcano,
            Coscheduling
        }
    }
}
