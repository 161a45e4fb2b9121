package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Where and how often training state is saved. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CheckpointSpec(
        @Default("{}") @JsonPropertyDescription("The volume that holds the checkpoints.")
        Volume volume,

        @Default("10")
        @Min(0)
        @JsonPropertyDescription(
                "Save after every so many steps; 0 saves only at the end and on suspension. Default 10.")
        int everySteps,

        @Pattern(Durations.PATTERN)
        @JsonPropertyDescription("Save too where this much time has passed since the last checkpoint. Default never.")
        @Nullable
        String everyInterval,

        @Default("3") @Min(1) @JsonPropertyDescription("Newest checkpoints to keep. Default 3.")
        int keep,

        @Pattern(Source.PATTERN)
        @JsonPropertyDescription(
                "Checkpoint folder to start from instead of the base model: pvc://CLAIM/PATH or file:///PATH.")
        @Nullable
        String resumeFrom,

        @Default("true")
        @JsonPropertyDescription("Export the last checkpoint as a Hugging Face folder under model/. Default true.")
        boolean exportHuggingFace) {

    /** A claim that is created for the job, or one that exists. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "!has(self.claimName) || !has(self.storageClassName)",
            message = "checkpoint.volume.storageClassName has no effect on an existing claim; remove it or claimName")
    public record Volume(
            @Default("10Gi")
            @Pattern("^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$")
            @JsonPropertyDescription("Size of the claim. Default 10Gi.")
            String size,

            @JsonPropertyDescription("Storage class of the claim. Default: the cluster's.") @Nullable
            String storageClassName,

            @Size(min = 1)
            @JsonPropertyDescription("Existing claim to use instead of creating one; it is never deleted.")
            @Nullable
            String claimName,

            @Default("Retain")
            @JsonPropertyDescription(
                    "What happens to a claim that was created for the job when the job is deleted. Default Retain.")
            Reclaim reclaim) {}

    /** Fate of the created claim when its job is deleted. */
    public enum Reclaim {
        Retain,
        Delete
    }
}
