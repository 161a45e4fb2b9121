package dev.rlvr.trainer;

import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.trainer.report.RolloutFile;
import dev.rlvr.trainer.report.StepMetrics;
import dev.rlvr.trainer.report.TrainerStatus;
import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;

/** What a run tells the outside; of several ranks the first one does. */
sealed interface Report extends AutoCloseable permits RunReport, SilentReport {
    void phase(TrainerStatus.Phase phase);

    /** A finished step; {@code samples} are asked for at most once. */
    void step(StepMetrics step, Supplier<List<RolloutFile.Sample>> samples) throws IOException;

    /** Warns that sampler and trainer disagree by so many nats in a step. */
    void disagreement(int step, double kl);

    /** A checkpoint that is on the disk; any thread may say so. */
    void checkpoint(Checkpoint checkpoint);

    /** Whether the set of that name was measured after so many steps. */
    boolean measured(String name, int step) throws IOException;

    void evaluation(Evaluation evaluation) throws IOException;

    @Override
    void close() throws IOException;
}
