package dev.rlvr.bench;

import dev.rlvr.trainer.checkpoint.CheckpointManifest;
import dev.rlvr.trainer.checkpoint.CheckpointWriter;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import dev.rlvr.trainer.checkpoint.HostMemory;
import dev.rlvr.trainer.checkpoint.RankFiles;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.TensorFiles;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.optimizer.AdamW;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Writes checkpoints, or reads one as a resumed run does. Its check is the number of bytes. */
final class CheckpointSide implements SideLoop.Work {
    private final Engine engine;
    private final AdamW optimizer;
    private final Checkpoints checkpoints;
    private final CheckpointWriter writer;
    private final Path folder;
    private final What what;
    private int step;

    /** What of a checkpoint is measured. */
    enum What {
        /** From the first copied byte until it is on the disk. */
        WRITE,
        /** Until training may go on. */
        STALL,
        /** From the disk to weights and optimizer. */
        READ
    }

    private CheckpointSide(What what, SideOptions options) throws IOException {
        this.engine = options.engine(16);
        this.optimizer = engine.optimizer();
        this.folder = options.folder();
        this.checkpoints = new Checkpoints(folder, 1);
        this.writer = new CheckpointWriter(checkpoints, new HostMemory(), RankFiles.ALONE, saved -> {});
        this.what = what;
        if (what == What.READ) {
            save();
        }
    }

    /** The first argument is a {@link What}. */
    public static void main(String[] args) {
        List<String> options = List.of(args).subList(1, args.length);
        SideLoop.serve(() -> new CheckpointSide(What.valueOf(args[0]), SideOptions.of(options.toArray(String[]::new))));
    }

    @Override
    public void prepare() throws IOException {
        switch (what) {
            case WRITE -> {}
            case STALL -> await();
            case READ -> PageCache.drop(folder);
        }
    }

    @Override
    public double round() throws IOException {
        return switch (what) {
            case WRITE -> {
                long bytes = save();
                await();
                yield bytes;
            }
            case STALL -> save();
            case READ -> load();
        };
    }

    private long save() throws IOException {
        SequencedMap<String, List<ByteBuffer>> files = new LinkedHashMap<>();
        files.put("model.safetensors", Safetensors.pieces(engine.weights().content()));
        files.put("optimizer.safetensors", Safetensors.pieces(optimizer.content()));
        long bytes = files.values().stream()
                .flatMap(List::stream)
                .mapToLong(ByteBuffer::remaining)
                .sum();
        CheckpointManifest state = new CheckpointManifest(++step, 0, 0, 0, "", "", Map.of());
        try {
            writer.save(step, files, state::with);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        return bytes;
    }

    private void await() throws IOException {
        try {
            writer.await();
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static IOException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new IOException("interrupted", e);
    }

    private long load() throws IOException {
        await();
        Checkpoints.Saved saved = checkpoints.newest().orElseThrow();
        try (var owner = engine.owner().newSubManager()) {
            Weights weights = Weights.load(owner, engine.weights().config(), saved.file("model.safetensors"));
            AdamW.start(owner, weights, Engine.OPTIMIZER)
                    .resume(TensorFiles.open(saved.files("optimizer")), 1)
                    .close();
        }
        return saved.manifest().files().values().stream()
                .mapToLong(CheckpointManifest.FileSum::bytes)
                .sum();
    }

    @Override
    public void close() {
        writer.close();
        optimizer.close();
        engine.close();
    }
}
