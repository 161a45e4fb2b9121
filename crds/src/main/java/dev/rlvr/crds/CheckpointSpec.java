package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Where and how often training state is saved. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CheckpointSpec(
        @Default("{}")
        @ValidationRule(
                value = "self == oldSelf",
                message = "cannot change once the job exists: its checkpoints are there")
        @JsonPropertyDescription("The volume that holds the checkpoints.")
        Volume volume,

        @Default("10")
        @Min(0)
        @Max(10_000_000)
        @JsonPropertyDescription(
                "Save after every so many steps; 0 saves only at the end and on suspension. Default 10.")
        int everySteps,

        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE, message = Durations.MESSAGE)
        @JsonPropertyDescription("Save too where this much time has passed since the last checkpoint. Default never.")
        @Nullable
        String everyInterval,

        @Default("3") @Min(1) @Max(10_000) @JsonPropertyDescription("Newest checkpoints to keep. Default 3.")
        int keep,

        @Size(max = Source.MAX_LENGTH)
        @ValidationRule(value = Source.CHECKPOINT_RULE, message = Source.CHECKPOINT_MESSAGE)
        @JsonPropertyDescription(
                "Checkpoint folder to start from instead of the base model: pvc://CLAIM/PATH, file:///PATH,"
                        + " job://NAME/checkpoints/step-NNNNNN, or job://NAME for the newest one of that job, whose end is"
                        + " waited for.")
        @Nullable
        String resumeFrom,

        @Default("true")
        @JsonPropertyDescription("Export the last checkpoint as a Hugging Face folder under model/. Default true.")
        boolean exportHuggingFace) {

    /** A claim that is created for the job, or one that exists. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "!has(self.claimName)"
                    + " || (!has(self.storageClassName) && self.size == '10Gi' && self.reclaim == 'Retain')",
            message =
                    "size, storageClassName and reclaim have no effect on an existing claim; remove them or claimName")
    public record Volume(
            @Default("10Gi")
            @Size(max = 32)
            @ValidationRule(
                    value = "self.matches('^[1-9][0-9]*(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$')",
                    message = "is not a size; write it as 500Mi or 10Gi")
            @JsonPropertyDescription("Size of the claim. Default 10Gi.")
            String size,

            @Size(min = 1, max = 253)
            @JsonPropertyDescription("Storage class of the claim. Default: the cluster's.")
            @Nullable
            String storageClassName,

            @Size(min = 1, max = 253)
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
