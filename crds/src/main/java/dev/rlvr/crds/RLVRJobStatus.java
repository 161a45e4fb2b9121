package dev.rlvr.crds;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.kubernetes.api.model.Condition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is the case. Two writers share it by server-side apply: the trainer owns {@code progress}, {@code checkpoint} and
 * {@code evaluation}, the operator (or the local back end) everything else.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RLVRJobStatus(
        @JsonPropertyDescription("Generation of the spec that this status answers to.") @Nullable
        Long observedGeneration,

        @JsonPropertyDescription(
                "One word for people: Suspended, Queued, Starting, Running, Restarting, Succeeded or Failed.")
        @Nullable
        State state,

        @JsonPropertyDescription(
                "Ready, Reconciling, Stalled, QuotaReserved, PodsReady, Running, Suspended, Checkpointed,"
                        + " Complete and Failed, each with a reason and a message.")
        @Nullable
        List<Condition> conditions,

        @JsonPropertyDescription("Number of the current or last attempt, from 1; written before its pods exist.")
        @Nullable
        Integer attempt,

        @JsonPropertyDescription("Restarts so far.") @Nullable
        Restarts restarts,

        @JsonPropertyDescription("Live figures, written by the trainer.") @Nullable
        Progress progress,

        @JsonPropertyDescription("Newest complete checkpoint, written by the trainer.") @Nullable
        Checkpoint checkpoint,

        @JsonPropertyDescription("Held-out results by evaluation, written by the trainer.") @Nullable
        List<Evaluation> evaluation,

        @JsonPropertyDescription(
                "When the current attempt was begun (RFC 3339); absent while an attempt is over and the next waits.")
        @Nullable
        String attemptStartTime,

        @JsonPropertyDescription("When all pods first ran (RFC 3339).") @Nullable
        String startTime,

        @JsonPropertyDescription("When the job ended (RFC 3339).") @Nullable
        String completionTime) {

    /** The state of a job in one word. */
    public enum State {
        Suspended,
        Queued,
        Starting,
        Running,
        Restarting,
        Succeeded,
        Failed;

        /** Whether the job has ended; an ended job never leaves its state. */
        public boolean ended() {
            return this == Succeeded || this == Failed;
        }
    }

    /** Restart counts. {@code user} and {@code infrastructure} are what is used of each budget; a newer checkpoint sets them to 0. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Restarts(
            @JsonPropertyDescription("All restarts, never given back.")
            int total,

            @JsonPropertyDescription("Used of spec.lifecycle.restarts.user.")
            int user,

            @JsonPropertyDescription("Used of spec.lifecycle.restarts.infrastructure.")
            int infrastructure,

            @JsonPropertyDescription("When the last restarted attempt failed (RFC 3339); the back-off counts from it.")
            @Nullable
            String lastFailureTime,

            @JsonPropertyDescription("Why it failed in one word, such as Crash or Removed.") @Nullable
            String lastFailureReason) {
        /** No restart yet. */
        public static final Restarts NONE = new Restarts(0, 0, 0, null, null);
    }

    /** Figures of the last finished step. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Progress(
            @JsonPropertyDescription("Finished steps.") int step,

            @JsonPropertyDescription("Steps of the whole job.")
            int totalSteps,

            @JsonPropertyDescription("Mean reward of the step's answers.") @Nullable
            Double rewardMean,

            @JsonPropertyDescription("Mean entropy of the step's tokens in nats.") @Nullable
            Double entropyMean,

            @JsonPropertyDescription("Lowest (LowestEntropy: highest) entropy that was kept, in nats.") @Nullable
            Double entropyThreshold,

            @JsonPropertyDescription("Share of tokens that took part in the update.") @Nullable
            Double keptTokenFraction,

            @JsonPropertyDescription("Mean length of the answers in tokens.") @Nullable
            Double responseTokensMean,

            @JsonPropertyDescription("Share of tokens whose ratio was clipped.") @Nullable
            Double clipFraction,

            @JsonPropertyDescription("Generated tokens per second of step time.") @Nullable
            Double tokensPerSecond,

            @JsonPropertyDescription("When the job will probably end (RFC 3339).") @Nullable
            String estimatedCompletion,

            @JsonPropertyDescription("When these figures were taken (RFC 3339).")
            String updatedAt) {}

    /** A complete checkpoint. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Checkpoint(
            @JsonPropertyDescription("Steps finished when it was taken.")
            int step,

            @JsonPropertyDescription("Its folder on the checkpoint volume.")
            String path,

            @JsonPropertyDescription("When it was complete (RFC 3339).")
            String savedAt) {}

    /** Accuracy on a held-out set. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Evaluation(
            @JsonPropertyDescription("Name of the evaluation.")
            String name,

            @JsonPropertyDescription("Steps finished when it was taken.")
            int step,

            @JsonPropertyDescription("Problems measured.") int problems,
            @JsonPropertyDescription("Answers per problem.") int samples,

            @JsonPropertyDescription("Mean share of right answers (avg@k).")
            double avgAtK,

            @JsonPropertyDescription("Share of problems with a right answer (pass@k).")
            double passAtK,

            @JsonPropertyDescription("Share of problems whose most frequent answer is right (maj@k).")
            double majAtK,

            @JsonPropertyDescription("avgAtK before the first step.") @Nullable
            Double baselineAvgAtK) {}
}
