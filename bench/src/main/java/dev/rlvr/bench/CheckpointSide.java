package dev.rlvr.bench;

import dev.rlvr.trainer.checkpoint.CheckpointManifest;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.optimizer.AdamW;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Writes a checkpoint, or reads it as a resumed run does. Its check is the number of bytes. */
final class CheckpointSide implements SideLoop.Work {
    private final Engine engine;
    private final AdamW optimizer;
    private final Path folder;
    private final boolean reads;
    private int step;

    private CheckpointSide(SideOptions options, boolean reads) throws IOException {
        this.engine = options.engine(16);
        this.optimizer = engine.optimizer();
        this.folder = options.folder();
        this.reads = reads;
        if (reads) {
            save();
        }
    }

    /** Reads where the first argument is {@code read}. */
    public static void main(String[] args) {
        List<String> all = List.of(args);
        SideLoop.serve(() -> new CheckpointSide(
                SideOptions.of(all.subList(1, all.size()).toArray(String[]::new)),
                all.getFirst().equals("read")));
    }

    @Override
    public void prepare() throws IOException {
        if (reads) {
            PageCache.drop(folder);
        }
    }

    @Override
    public double round() throws IOException {
        Checkpoints.Saved saved = reads ? load() : save();
        return saved.manifest().files().values().stream()
                .mapToLong(CheckpointManifest.FileSum::bytes)
                .sum();
    }

    private Checkpoints.Saved save() throws IOException {
        return new Checkpoints(folder, 1)
                .save(
                        ++step,
                        in -> {
                            engine.weights().write(in.resolve("model.safetensors"));
                            optimizer.write(in.resolve("optimizer.safetensors"));
                        },
                        files -> new CheckpointManifest(step, 0, 0, 0, "", "", files));
    }

    private Checkpoints.Saved load() throws IOException {
        Checkpoints.Saved saved = new Checkpoints(folder, 1).newest().orElseThrow();
        try (var owner = engine.owner().newSubManager()) {
            Weights weights =
                    Weights.load(owner, engine.weights().config(), Safetensors.open(saved.file("model.safetensors")));
            AdamW.resume(owner, weights, Engine.OPTIMIZER, saved.file("optimizer.safetensors"), 1)
                    .close();
        }
        return saved;
    }

    @Override
    public void close() {
        optimizer.close();
        engine.close();
    }
}
