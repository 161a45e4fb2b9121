package dev.rlvr.bench;

import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.crds.TrainerSpec.Precision;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.torch.Torch;
import java.nio.file.Path;

/** The trainer's engine with a model in it: what all our sides begin with. */
record Engine(NDManager owner, Weights weights, Decoder decoder) implements AutoCloseable {
    /** As {@code peers/side.py} has it. */
    static final Optimizer OPTIMIZER = new Optimizer(1e-4, 0, 0.01, 0.9, 0.999, 1e-8, 1.0, Optimizer.Schedule.Constant);

    /** @param longest longest sequence in tokens */
    static Engine open(Path folder, Precision precision, int threads, int longest) {
        if (precision != Precision.F32) {
            throw new UnsupportedOperationException("the trainer has no " + precision + " in this release");
        }
        NDManager owner = Torch.start(threads);
        Weights weights = Weights.load(owner, ModelFolder.open(folder));
        return new Engine(owner, weights, new Decoder(owner, weights, longest));
    }

    AdamW optimizer() {
        return AdamW.start(owner, weights, OPTIMIZER);
    }

    @Override
    public void close() {
        decoder.close();
        owner.close();
    }
}
