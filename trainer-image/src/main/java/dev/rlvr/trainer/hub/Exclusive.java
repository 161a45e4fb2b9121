package dev.rlvr.trainer.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that one process at a time holds, on this machine or, where the file system passes locks on (NFS 4, CephFS, Lustre with {@code flock}), on
 * any. The lock goes with the process, however that ends; the file stays.
 */
public final class Exclusive implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Exclusive.class);

    private final FileChannel file;

    private Exclusive(FileChannel file) {
        this.file = file;
    }

    /**
     * Waits until nobody else holds the file.
     *
     * @param what the holder does, for people who wait
     * @throws IOException if the file system has no locks
     */
    public static Exclusive of(Path path, String what) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = file.tryLock();
            if (lock == null) {
                LOG.info("another process {}; waiting for it", what);
                file.lock();
            }
            return new Exclusive(file);
        } catch (IOException e) {
            file.close();
            throw new IOException("cannot lock " + path + "; its file system must have locks", e);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
