package dev.rlvr.trainer.checkpoint;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blocks of memory that one thread fills and another empties, used again and again. As many are made as are asked for, up to a limit; from
 * then on the thread that fills waits for the one that empties.
 */
final class Blocks implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Blocks.class);

    /** Bytes of a block: enough that a disk reaches its full speed. */
    static final int SIZE = 8 << 20;

    /** Of a block's address, so that a disk can fetch it without a copy; a multiple of every usual disk block. */
    static final int ALIGNMENT = 1 << 16;

    private final Arena arena = Arena.ofShared();
    private final BlockingQueue<ByteBuffer> free = new LinkedBlockingQueue<>();
    private final int limit;
    private int made;
    private boolean exhausted;

    /** At most so many blocks, at least one. */
    Blocks(int limit) {
        this.limit = Math.max(1, limit);
    }

    /** How many blocks hold so many bytes. */
    static int holding(long bytes) {
        return Math.toIntExact((bytes + SIZE - 1) / SIZE);
    }

    /** An empty block; the thread that fills asks for it. */
    ByteBuffer take() throws InterruptedException {
        Optional<ByteBuffer> block = Optional.ofNullable(free.poll());
        if (block.isEmpty() && made < limit && !exhausted) {
            block = make();
        }
        return (block.isPresent() ? block.get() : free.take()).clear();
    }

    private Optional<ByteBuffer> make() {
        try {
            ByteBuffer block = arena.allocate(SIZE, ALIGNMENT).asByteBuffer();
            made++;
            return Optional.of(block);
        } catch (OutOfMemoryError e) {
            if (made == 0) {
                throw e;
            }
            exhausted = true;
            LOG.warn(
                    "no memory for more than {} MB of a checkpoint: training waits while the rest is written",
                    mb(made));
            return Optional.empty();
        }
    }

    private static long mb(int blocks) {
        return (long) blocks * SIZE / 1_000_000;
    }

    /** Gives an emptied block back. */
    void give(ByteBuffer block) {
        free.add(block);
    }

    @Override
    public void close() {
        arena.close();
    }
}
