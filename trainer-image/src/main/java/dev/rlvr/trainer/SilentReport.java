package dev.rlvr.trainer;

import dev.rlvr.crds.RLVRJobStatus.Checkpoint;
import dev.rlvr.crds.RLVRJobStatus.Evaluation;
import dev.rlvr.trainer.report.RolloutFile;
import dev.rlvr.trainer.report.StepMetrics;
import dev.rlvr.trainer.report.TrainerStatus;
import java.util.List;
import java.util.function.Supplier;

/** Ranks other than the first tell nothing. */
enum SilentReport implements Report {
    INSTANCE;

    @Override
    public void phase(TrainerStatus.Phase phase) {
        // the first rank tells
    }

    @Override
    public void step(StepMetrics step, Supplier<List<RolloutFile.Sample>> samples) {
        // the first rank tells
    }

    @Override
    public void disagreement(int step, double kl) {
        // the first rank tells
    }

    @Override
    public void checkpoint(Checkpoint checkpoint) {
        // the first rank tells
    }

    @Override
    public boolean measured(String name, int step) {
        return false;
    }

    @Override
    public void evaluation(Evaluation evaluation) {
        // the first rank tells
    }

    @Override
    public void close() {
        // nothing is open
    }
}
