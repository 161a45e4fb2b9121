package dev.rlvr.trainer.checkpoint;

import dev.rlvr.trainer.checkpoint.CheckpointManifest.FileSum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * A new file that is written once, from its beginning, in {@link Blocks}. Where the file system can, the disk fetches the blocks itself
 * (O_DIRECT): the page cache would cost a copy, memory that counts against a container's limit, and most of the time. Each block is added to
 * the checksum while it is written.
 */
final class DirectFile implements AutoCloseable {
    /** Of module {@code jdk.unsupported}; javac warns of whoever names it, so it is looked up. */
    private static final String DIRECT_OPTION = "com.sun.nio.file.ExtendedOpenOption";

    private final FileChannel channel;
    private final int unit;
    private final ExecutorService disk;
    private final CRC32C crc = new CRC32C();
    private long bytes;

    private DirectFile(FileChannel channel, int unit, ExecutorService disk) {
        this.channel = channel;
        this.unit = unit;
        this.disk = disk;
    }

    /** Makes the file; {@code disk} runs the writes. */
    static DirectFile create(Path file, ExecutorService disk) throws IOException {
        long unit = Files.getFileStore(file.toAbsolutePath().getParent()).getBlockSize();
        Optional<OpenOption> direct = directOption();
        if (direct.isPresent() && unit > 0 && Blocks.ALIGNMENT % unit == 0) {
            try {
                return new DirectFile(open(file, direct.stream()), (int) unit, disk);
            } catch (IOException | UnsupportedOperationException e) {
                // a file system without direct access, such as tmpfs, may have made the file before it said so
                Files.deleteIfExists(file);
            }
        }
        return new DirectFile(open(file, Stream.empty()), 1, disk);
    }

    private static FileChannel open(Path file, Stream<OpenOption> further) throws IOException {
        Stream<OpenOption> options =
                Stream.concat(Stream.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), further);
        return FileChannel.open(file, options.collect(Collectors.toSet()));
    }

    private static Optional<OpenOption> directOption() {
        try {
            return Stream.of(Class.forName(DIRECT_OPTION).getEnumConstants())
                    .map(OpenOption.class::cast)
                    .filter(option -> option.toString().equals("DIRECT"))
                    .findFirst();
        } catch (ClassNotFoundException e) {
            return Optional.empty();
        }
    }

    /** Adds a block from {@link Blocks}, from position 0 to its limit; all but the last must be full. */
    void write(ByteBuffer block) throws IOException, InterruptedException {
        int length = block.limit();
        ByteBuffer padded = block.duplicate().clear().limit((length + unit - 1) / unit * unit);
        Future<?> written = disk.submit(() -> {
            while (padded.hasRemaining()) {
                channel.write(padded);
            }
            return null;
        });
        crc.update(block.duplicate());
        bytes += length;
        try {
            written.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw new IOException(cause.getMessage(), cause);
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Cuts the padding off and waits until the disk has everything. */
    FileSum finish() throws IOException {
        channel.truncate(bytes);
        channel.force(true);
        return new FileSum(bytes, crc.getValue());
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
