package dev.rlvr.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the disk can do: as many bytes as a checkpoint has, in one file, from one buffer, forced; or read back. */
final class DiskSide implements SideLoop.Work {
    private static final int BLOCK = 8 << 20;
    private static final int ALIGNMENT = 4096;

    private final ByteBuffer block =
            ByteBuffer.allocateDirect(BLOCK + ALIGNMENT).alignedSlice(ALIGNMENT).limit(BLOCK);
    private final Set<OpenOption> options;
    private final Path folder;
    private final boolean reads;
    private final long bytes;
    private int written;

    private DiskSide(boolean reads, boolean direct, Path folder, long bytes) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.reads = reads;
        this.options = direct ? Set.of(direct()) : Set.of();
        // direct access moves whole units
        this.bytes = direct ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : bytes;
        byte[] random = new byte[BLOCK];
        // a disk that compresses must not gain from it
        new Random(0).nextBytes(random);
        block.put(random);
        if (reads) {
            write();
        }
    }

    /** Arguments: {@code read} or {@code write}, {@code cached} or {@code direct} (past the page cache), a folder, a number of bytes. */
    public static void main(String[] args) {
        SideLoop.serve(() -> new DiskSide(
                args[0].equals("read"), args[1].equals("direct"), Path.of(args[2]), Long.parseLong(args[3])));
    }

    /** Of a module that javac warns of when it is named. */
    private static OpenOption direct() {
        try {
            return Stream.of(
                            Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants())
                    .map(OpenOption.class::cast)
                    .filter(option -> option.toString().equals("DIRECT"))
                    .findFirst()
                    .orElseThrow();
        } catch (ClassNotFoundException e) {
            throw new UnsupportedOperationException("this JVM has no direct access to files", e);
        }
    }

    private FileChannel open(Path file, OpenOption... further) throws IOException {
        return FileChannel.open(
                file, Stream.concat(options.stream(), Stream.of(further)).collect(Collectors.toSet()));
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
        try (FileChannel channel = open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
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
        try (FileChannel channel = open(file(written), StandardOpenOption.READ)) {
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
