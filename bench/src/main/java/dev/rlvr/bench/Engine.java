package dev.rlvr.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import dev.rlvr.crds.AlgorithmSpec.Optimizer;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.ModelTensors;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.optimizer.AdamW;
import dev.rlvr.trainer.torch.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The trainer's engine with a model in it: what all our sides begin with. */
record Engine(NDManager owner, Weights weights, Decoder decoder) implements AutoCloseable {
    /** As {@code peers/side.py} has it. */
    static final Optimizer OPTIMIZER = new Optimizer(1e-4, 0, 0.01, 0.9, 0.999, 1e-8, 1.0, Optimizer.Schedule.Constant);

    /** @param longest longest sequence in tokens */
    static Engine open(Path folder, Precision precision, int threads, Device device, int longest) {
        NDManager owner = Torch.start(threads, device);
        Weights weights = Weights.load(owner, ModelFolder.open(folder));
        return new Engine(owner, weights, new Decoder(owner, weights, precision, longest));
    }

    AdamW optimizer() {
        return AdamW.start(owner, weights, OPTIMIZER);
    }

    ModelTensors gradients() {
        return ModelTensors.zeros(owner, weights.config());
    }

    /** Rows of made-up tokens; the model is asked for all but the first of each. */
    TokenBatch batch(int rows, int length) {
        List<TokenBatch.Row> all = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            List<Integer> ids = SideOptions.ids(row, length, weights.config().vocabulary());
            all.add(new TokenBatch.Row(ids.subList(0, 1), ids.subList(1, length)));
        }
        return TokenBatch.of(all);
    }

    @Override
    public void close() {
        decoder.close();
        owner.close();
    }
}
