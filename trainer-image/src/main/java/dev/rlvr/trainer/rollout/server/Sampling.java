package dev.rlvr.trainer.rollout.server;

import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.rollout.server.RolloutServer.Generated;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** One call while it goes on: a thread for each request that may be under way, and what they have brought back. */
final class Sampling implements AutoCloseable {
    private final Batch batch;
    private final AnswerSource.Settings settings;
    private final WeightsFolder.Version version;
    private final BlockingQueue<Answered> answered = new LinkedBlockingQueue<>();
    private final AtomicReference<@Nullable Throwable> broken = new AtomicReference<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /** A piece and what was answered. */
    record Answered(Piece piece, Generated generated) {
        void handTo(AnswerSource.Finished finished) {
            List<Sample> samples = generated.samples();
            for (int i = 0; i < samples.size(); i++) {
                finished.accept(piece.prompt(), piece.firstAnswer() + i, samples.get(i));
            }
        }
    }

    /** What a thread does until it is done or interrupted. */
    @FunctionalInterface
    private interface Task {
        void run() throws InterruptedException;
    }

    Sampling(List<Piece> pieces, AnswerSource.Settings settings, WeightsFolder.Version version) {
        this.batch = new Batch(pieces, System::nanoTime);
        this.settings = settings;
        this.version = version;
    }

    /** Lets a server answer, so many requests at a time. */
    void use(PooledServer server, int requests) {
        start(() -> server.watch(version));
        for (int i = 0; i < requests; i++) {
            start(() -> work(server));
        }
    }

    private void start(Task task) {
        threads.execute(() -> {
            try {
                task.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException | Error e) {
                broken.set(e);
            }
        });
    }

    private void work(PooledServer server) throws InterruptedException {
        while (!batch.done()) {
            server.awaitUsable(version);
            Optional<Piece> piece = batch.take(server);
            if (piece.isEmpty()) {
                return;
            }
            try {
                Generated generated = server.generate(piece.get(), settings, version);
                if (batch.complete(piece.get())) {
                    answered.add(new Answered(piece.get(), generated));
                }
            } catch (IOException e) {
                batch.giveBack(piece.get(), server); // the server knows why, and says so if that lasts
            }
        }
    }

    /** The next piece that was answered, if there is one within a time. */
    Optional<Answered> next(Duration wait) throws InterruptedException {
        Throwable fault = broken.get();
        if (fault != null) {
            throw new IllegalStateException("a thread that talks to rollout servers failed", fault);
        }
        return Optional.ofNullable(answered.poll(wait.toMillis(), TimeUnit.MILLISECONDS));
    }

    /** Whether any of the servers has the weights and is not failing all the time. */
    boolean promising(List<PooledServer> servers) {
        return servers.stream().anyMatch(server -> server.promising(version));
    }

    /** Gives up what is still under way. */
    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }
}
