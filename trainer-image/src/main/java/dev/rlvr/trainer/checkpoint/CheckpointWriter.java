package dev.rlvr.trainer.checkpoint;

import dev.rlvr.trainer.checkpoint.CheckpointManifest.FileSum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes checkpoints while training goes on: the thread that trains copies the state into {@link Blocks}, and another writes these. Where
 * memory does not hold a whole copy, blocks are used again within one checkpoint, and training waits for the disk.
 */
public final class CheckpointWriter implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CheckpointWriter.class);

    /** Share of the available memory that a copy may take: training has not always reached its peak when it is made. */
    private static final double SHARE = 0.5;

    private static final int FEWEST_BLOCKS = 4;

    private final Checkpoints checkpoints;
    private final HostMemory memory;
    private final RankFiles ranks;
    private final Consumer<Checkpoints.Saved> durable;
    private final ExecutorService background = daemon("checkpoint-writer");
    private final ExecutorService disk = daemon("checkpoint-disk");
    private Optional<Blocks> blocks = Optional.empty();
    private Optional<Future<?>> pending = Optional.empty();

    /**
     * A writer for one run.
     *
     * @param ranks that write together
     * @param durable is told of each checkpoint once it is on the disk, by the thread that wrote it; on rank 0 only
     */
    public CheckpointWriter(
            Checkpoints checkpoints, HostMemory memory, RankFiles ranks, Consumer<Checkpoints.Saved> durable) {
        this.checkpoints = checkpoints;
        this.memory = memory;
        this.ranks = ranks;
        this.durable = durable;
    }

    private static ExecutorService daemon(String name) {
        return Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name(name).factory());
    }

    /**
     * Begins a checkpoint; returns once the state is copied and may change again. Waits for the checkpoint before it, and for the other ranks.
     *
     * @param files name to content, in pieces; each piece is read once, from its position to its limit
     * @throws IOException if the checkpoint before could not be written
     */
    public void save(int step, SequencedMap<String, List<ByteBuffer>> files, Checkpoints.ManifestOf manifestOf)
            throws IOException, InterruptedException {
        await();
        if (ranks.first()) {
            checkpoints.prepare(step);
        }
        ranks.barrier().run();
        Transfer transfer = new Transfer(files, blocksFor(files));
        Future<?> writing = background.submit(() -> {
            transfer.drained(() -> {
                if (ranks.first()) {
                    durable.accept(checkpoints.complete(
                            step, folder -> ranks.all(folder, transfer.write(folder)), manifestOf));
                } else {
                    Path folder = checkpoints.folder(step);
                    ranks.tell(folder, transfer.write(folder));
                }
            });
            return null;
        });
        pending = Optional.of(writing);
        try {
            transfer.copy(files);
        } catch (InterruptedException | RuntimeException | Error e) {
            writing.cancel(true);
            throw e;
        }
    }

    /**
     * Throws what went wrong in the background, if something did; does not wait.
     *
     * @throws IOException if the last checkpoint could not be written
     */
    public void check() throws IOException, InterruptedException {
        if (pending.isPresent() && pending.get().isDone()) {
            await();
        }
    }

    /**
     * Waits until the last checkpoint is on the disk.
     *
     * @throws IOException if it could not be written
     */
    public void await() throws IOException, InterruptedException {
        if (pending.isEmpty()) {
            return;
        }
        Future<?> writing = pending.get();
        try {
            writing.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw new IOException("cannot write the checkpoint: " + cause, cause);
            }
            throw new IllegalStateException(e.getCause());
        } finally {
            if (writing.isDone()) {
                pending = Optional.empty();
            }
        }
    }

    private Blocks blocksFor(SequencedMap<String, List<ByteBuffer>> files) throws IOException {
        if (blocks.isEmpty()) {
            int needed =
                    sizes(files).values().stream().mapToInt(Blocks::holding).sum();
            OptionalLong available = memory.available();
            int limit = needed;
            if (available.isPresent() && (long) needed * Blocks.SIZE > SHARE * available.getAsLong()) {
                limit = Math.max(FEWEST_BLOCKS, (int) (SHARE * available.getAsLong() / Blocks.SIZE));
                LOG.warn(
                        "training waits while checkpoints are written: a copy takes {} MB, more than half of the {} MB of memory that are left",
                        (long) needed * Blocks.SIZE / 1_000_000,
                        available.getAsLong() / 1_000_000);
            }
            blocks = Optional.of(new Blocks(limit));
        }
        return blocks.get();
    }

    private static SequencedMap<String, Long> sizes(SequencedMap<String, List<ByteBuffer>> files) {
        SequencedMap<String, Long> sizes = new LinkedHashMap<>();
        files.forEach((name, pieces) ->
                sizes.put(name, pieces.stream().mapToLong(ByteBuffer::remaining).sum()));
        return sizes;
    }

    /** Lets the checkpoint that is being written come to its end: the process may be about to. */
    @Override
    public void close() {
        background.shutdown();
        try {
            await();
        } catch (IOException | IllegalStateException e) {
            LOG.warn("the last checkpoint was not written", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        disk.shutdown();
        blocks.ifPresent(Blocks::close);
    }

    /** One checkpoint on its way from the training thread's tensors to files; a block holds bytes of one file. */
    private final class Transfer {
        private final SequencedMap<String, Long> sizes;
        private final Blocks blocks;
        private final BlockingQueue<ByteBuffer> filled = new LinkedBlockingQueue<>();
        private int expected;

        Transfer(SequencedMap<String, List<ByteBuffer>> files, Blocks blocks) {
            this.sizes = sizes(files);
            this.blocks = blocks;
            this.expected = sizes.values().stream().mapToInt(Blocks::holding).sum();
        }

        /** The training thread's part. */
        void copy(SequencedMap<String, List<ByteBuffer>> files) throws InterruptedException {
            for (List<ByteBuffer> pieces : files.values()) {
                Optional<ByteBuffer> open = Optional.empty();
                for (ByteBuffer piece : pieces) {
                    ByteBuffer from = piece.duplicate();
                    while (from.hasRemaining()) {
                        ByteBuffer block = open.isPresent() ? open.get() : blocks.take();
                        int length = Math.min(from.remaining(), block.remaining());
                        block.put(from.slice(from.position(), length));
                        from.position(from.position() + length);
                        open = Optional.of(block);
                        if (!block.hasRemaining()) {
                            filled.add(block.flip());
                            open = Optional.empty();
                        }
                    }
                }
                open.ifPresent(block -> filled.add(block.flip()));
            }
        }

        /** The background thread's part. */
        Map<String, FileSum> write(Path folder) throws IOException, InterruptedException {
            Map<String, FileSum> sums = new HashMap<>();
            for (Map.Entry<String, Long> size : sizes.entrySet()) {
                try (DirectFile file = DirectFile.create(folder.resolve(size.getKey()), disk)) {
                    for (int left = Blocks.holding(size.getValue()); left > 0; left--) {
                        ByteBuffer block = next();
                        try {
                            file.write(block);
                        } finally {
                            blocks.give(block);
                        }
                    }
                    sums.put(size.getKey(), file.finish());
                }
            }
            return sums;
        }

        private ByteBuffer next() throws InterruptedException {
            ByteBuffer block = filled.take();
            expected--;
            return block;
        }

        /** Runs the write; where it fails, takes what is still copied, so that the training thread does not wait for ever. */
        void drained(Write write) throws IOException, InterruptedException {
            try {
                write.run();
            } catch (IOException | RuntimeException e) {
                while (expected > 0) {
                    blocks.give(next());
                }
                throw e;
            }
        }
    }

    /** Writes a checkpoint to its end. */
    @FunctionalInterface
    private interface Write {
        void run() throws IOException, InterruptedException;
    }
}
