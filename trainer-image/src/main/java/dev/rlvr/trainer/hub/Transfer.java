package dev.rlvr.trainer.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The body of one answer on its way to a file: says how far it is, and does not wait for ever for a server that has fallen silent. */
final class Transfer {
    private static final Logger LOG = LoggerFactory.getLogger(Transfer.class);
    private static final int BUFFER = 1 << 20;
    private static final Duration TOLD_EVERY = Duration.ofSeconds(10);

    private final HttpResponse<?> response;
    private final Duration silence;
    private volatile long heardAt = System.nanoTime();
    private volatile boolean silent;

    /** @param silence after which the server is given up */
    Transfer(HttpResponse<?> response, Duration silence) {
        this.response = response;
        this.silence = silence;
    }

    void run(InputStream body, OutputStream out) throws IOException {
        try (ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("download-watch").factory())) {
            long every = Math.max(1, silence.toMillis() / 4);
            var _ = watch.scheduleWithFixedDelay(() -> closeIfSilent(body), every, every, TimeUnit.MILLISECONDS);
            try {
                copy(body, out);
            } finally {
                watch.shutdownNow();
            }
        }
    }

    private void copy(InputStream body, OutputStream out) throws IOException {
        byte[] buffer = new byte[BUFFER];
        long bytes = 0;
        long toldAt = System.nanoTime();
        for (int n = read(body, buffer); n >= 0; n = read(body, buffer)) {
            out.write(buffer, 0, n);
            bytes += n;
            heardAt = System.nanoTime();
            if (heardAt - toldAt > TOLD_EVERY.toNanos()) {
                tell(bytes);
                toldAt = heardAt;
            }
        }
        tell(bytes);
    }

    private int read(InputStream body, byte[] buffer) throws IOException {
        try {
            return body.read(buffer);
        } catch (IOException e) {
            throw silent ? new IOException("nothing came for " + silence.toSeconds() + " s", e) : e;
        }
    }

    private void tell(long bytes) {
        String path = response.uri().getPath();
        long of = response.headers().firstValueAsLong("Content-Length").orElse(bytes);
        LOG.info("{}: {} of {} MB", path.substring(path.lastIndexOf('/') + 1), bytes / 1_000_000, of / 1_000_000);
    }

    private void closeIfSilent(InputStream body) {
        if (System.nanoTime() - heardAt > silence.toNanos()) {
            silent = true;
            try {
                body.close();
            } catch (IOException e) {
                LOG.debug("closing a silent connection failed", e);
            }
        }
    }
}
