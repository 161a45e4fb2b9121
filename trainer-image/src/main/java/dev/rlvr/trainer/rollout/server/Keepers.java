package dev.rlvr.trainer.rollout.server;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps servers usable with one version of the weights, for those who may not give them weights themselves. */
final class Keepers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Keepers.class);

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    Keepers(List<PooledServer> servers, WeightsFolder.Version version) {
        servers.forEach(server -> threads.execute(() -> keep(server, version)));
    }

    private static void keep(PooledServer server, WeightsFolder.Version version) {
        try {
            server.keep(version);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.error("nobody looks after a rollout server any more", e);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }
}
