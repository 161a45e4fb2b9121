package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import org.jspecify.annotations.Nullable;

/** Suspension, deadlines, restarts and clean-up. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record LifecycleSpec(
        @Default("false")
        @JsonPropertyDescription(
                "Checkpoint, stop the pods and wait; false goes on from the newest checkpoint. Default false.")
        boolean suspend,

        @Default("1h")
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE, message = Durations.MESSAGE)
        @JsonPropertyDescription(
                "Longest time from the creation of an attempt's pods until all of them run; waiting for quota"
                        + " does not count. Default 1h.")
        String startDeadline,

        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE, message = Durations.MESSAGE)
        @JsonPropertyDescription("Longest time from the first start to the end; then the job fails. Default none.")
        @Nullable
        String activeDeadline,

        @Default("30m")
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE, message = Durations.MESSAGE)
        @JsonPropertyDescription("Longest time without progress; then the attempt is restarted as hung. Default 30m.")
        String stallDeadline,

        @Default("60s")
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE, message = Durations.MESSAGE)
        @JsonPropertyDescription(
                "Longest time from the moment a rank dies, freezes or is cut off until all ranks have ended, for the"
                        + " attempt to be restarted. Default 60s.")
        String peerTimeout,

        @Default("2m")
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE, message = Durations.MESSAGE)
        @JsonPropertyDescription("Time a stopping trainer gets to write its checkpoint. Default 2m.")
        String stopGracePeriod,

        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Durations.RULE_OR_ZERO, message = Durations.MESSAGE)
        @JsonPropertyDescription(
                "Remove pods, Service, Role and Job so long after the end; checkpoints and status stay."
                        + " Default never.")
        @Nullable
        String ttlAfterFinished,

        @Default("{}")
        @JsonPropertyDescription("Restart budgets; a checkpoint newer than an attempt's start gives them back.")
        Restarts restarts) {

    /** Separate budgets for the user's failures and the infrastructure's. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Restarts(
            @Default("3")
            @Min(0)
            @Max(10_000)
            @JsonPropertyDescription("Restarts after a failure of the trainer itself. Default 3.")
            int user,

            @Default("20")
            @Min(0)
            @Max(10_000)
            @JsonPropertyDescription(
                    "Restarts after eviction, preemption, node loss or image pull failures. Default 20.")
            int infrastructure) {}
}
