package dev.rlvr.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** What the disk can do: as many bytes as a checkpoint has, in one file, from one buffer, forced; or read back. */
final class DiskSide implements SideLoop.Work {
    private static final int BLOCK = 8 << 20;

    private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
    private final Path folder;
    private final boolean reads;
    private final long bytes;
    private int written;

    private DiskSide(boolean reads, Path folder, long bytes) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.reads = reads;
        this.bytes = bytes;
        byte[] random = new byte[BLOCK];
        // a disk that compresses must not gain from it
        new Random(0).nextBytes(random);
        block.put(random);
        if (reads) {
            write();
        }
    }

    /** Arguments: {@code read} or {@code write}, a folder, a number of bytes. */
    public static void main(String[] args) {
        SideLoop.serve(() -> new DiskSide(args[0].equals("read"), Path.of(args[1]), Long.parseLong(args[2])));
    }

    @Override
    public void prepare() throws IOException {
        if (reads) {
            PageCache.drop(folder);
        }
    }

    @Override
    public double round() throws IOException {
        return reads ? read() : write();
    }

    private long write() throws IOException {
        Path file = file(++written);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            for (long left = bytes; left > 0; left -= BLOCK) {
                block.clear().limit((int) Math.min(BLOCK, left));
                while (block.hasRemaining()) {
                    channel.write(block);
                }
            }
            channel.force(true);
        }
        // as a checkpoint takes the place of the oldest
        Files.deleteIfExists(file(written - 1));
        return bytes;
    }

    private long read() throws IOException {
        long read = 0;
        try (FileChannel channel = FileChannel.open(file(written), StandardOpenOption.READ)) {
            for (int n = 0; n >= 0; n = channel.read(block.clear())) {
                read += n;
            }
        }
        return read;
    }

    private Path file(int number) {
        return folder.resolve("bytes-" + number);
    }

    @Override
    public void close() {}
}
