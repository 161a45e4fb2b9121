package dev.rlvr.trainer.report;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.crds.RLVRJobStatus.Progress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The trainer's part of a job's status; the back end owns the rest. The phase is for the trainer's own file: the resource
 * has no such field.
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonIgnoreProperties(ignoreUnknown = true)
public record TrainerStatus(
        @Nullable Phase phase,
        @Nullable Progress progress,
        @Nullable Checkpoint checkpoint,
        @Nullable List<Evaluation> evaluation) {
    /** Before anything was done. */
    public static final TrainerStatus NONE = new TrainerStatus(null, null, null, null);

    /** What the trainer is doing, for people. */
    public enum Phase {
        @JsonProperty("loading")
        LOADING,
        @JsonProperty("evaluating")
        EVALUATING,
        @JsonProperty("training")
        TRAINING,
        @JsonProperty("exporting")
        EXPORTING
    }

    /** In another phase. */
    public TrainerStatus with(Phase newest) {
        return new TrainerStatus(newest, progress, checkpoint, evaluation);
    }

    /** With the figures of the last finished step. */
    public TrainerStatus with(Progress newest) {
        return new TrainerStatus(phase, newest, checkpoint, evaluation);
    }

    /** With the newest complete checkpoint. */
    public TrainerStatus with(Checkpoint newest) {
        return new TrainerStatus(phase, progress, newest, evaluation);
    }

    /** With a result in the place of the older one of the same name. */
    public TrainerStatus with(Evaluation newest) {
        List<Evaluation> results = new ArrayList<>(evaluation == null ? List.of() : evaluation);
        results.removeIf(older -> older.name().equals(newest.name()));
        results.add(newest);
        return new TrainerStatus(phase, progress, checkpoint, List.copyOf(results));
    }
}
