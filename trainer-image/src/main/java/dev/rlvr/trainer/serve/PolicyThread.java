package dev.rlvr.trainer.serve;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.data.SplitMix64;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.rollout.Sampler;
import dev.rlvr.trainer.rollout.StoppedException;
import dev.rlvr.trainer.torch.Torch;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that libtorch's settings are made for: it loads weights and samples. Requests that wait together are sampled together. All
 * methods may be called by any thread.
 */
final class PolicyThread implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PolicyThread.class);

    /** How long the first request waits for others that come with it. */
    private static final Duration GATHER = Duration.ofMillis(5);

    private final Precision precision;
    private final int threads;
    private final int rows;
    private final CompletableFuture<ModelConfig> loaded = new CompletableFuture<>();
    private final Thread thread;

    private final Deque<Request> requests = new ArrayDeque<>();
    private final Deque<Update> updates = new ArrayDeque<>();
    private String version = "";
    private boolean paused;
    private boolean busy;
    private boolean closed;

    /** Aborts what is being sampled; looked at between two columns. */
    private volatile boolean abort;

    private record Update(ModelFolder folder, String version, CompletableFuture<String> done) {}

    /** Starts to load a model; {@link #config} waits for it. */
    PolicyThread(ModelFolder model, String version, Precision precision, int threads, int rows) {
        this.precision = precision;
        this.threads = threads;
        this.rows = rows;
        this.thread = Thread.ofPlatform().name("policy").start(() -> run(model, version));
    }

    /** The model's shape, once its weights are loaded. */
    ModelConfig config() {
        return loaded.join();
    }

    /** What the weights are called that the next request is answered with. */
    synchronized String version() {
        return version;
    }

    /** Whether the thread is there to answer; it may be busy. */
    boolean alive() {
        return loaded.isDone() && !loaded.isCompletedExceptionally() && thread.isAlive();
    }

    /** Answers, in the order of what is asked for; while generation is paused, afterwards. */
    synchronized CompletableFuture<List<Answer>> generate(List<Ask> asks) {
        Request request = new Request(asks);
        if (closed) {
            request.abort(version);
        } else {
            requests.add(request);
            notifyAll();
        }
        return request.reply();
    }

    /**
     * Replaces the weights by those of a folder, after what is being sampled.
     *
     * @return the version; fails, and the old weights stay, where they cannot be read or memory does not suffice
     */
    synchronized CompletableFuture<String> load(ModelFolder folder, String newVersion) {
        Update update = new Update(folder, newVersion, new CompletableFuture<>());
        if (closed) {
            update.done().completeExceptionally(new IllegalStateException("the server stops"));
        } else {
            updates.add(update);
            notifyAll();
        }
        return update.done();
    }

    /** Aborts all requests, and lets new ones wait. */
    synchronized void pause() {
        paused = true;
        abort();
    }

    /** Answers again. */
    synchronized void proceed() {
        paused = false;
        notifyAll();
    }

    /** Aborts all requests. */
    synchronized void abort() {
        abort = true;
        requests.forEach(request -> request.abort(version));
        requests.clear();
        notifyAll();
    }

    /** Requests that wait. */
    synchronized int waiting() {
        return requests.size();
    }

    /** Whether no request is being answered or waits. */
    synchronized boolean idle() {
        return !busy && requests.isEmpty();
    }

    private void run(ModelFolder model, String firstVersion) {
        try (NDManager owner = Torch.start(threads)) {
            Policy policy = Policy.load(owner, model, precision, firstVersion);
            try {
                setVersion(policy.version());
                loaded.complete(policy.config());
                for (Work work = next(); open(); work = next()) {
                    for (Update update : work.updates()) {
                        policy = replaced(owner, policy, update);
                    }
                    answer(owner, policy, work.requests());
                }
            } finally {
                policy.close();
            }
        } catch (RuntimeException | Error e) {
            if (!loaded.completeExceptionally(e)) {
                LOG.error("the thread that samples failed", e);
            }
        } finally {
            shut();
        }
    }

    private synchronized boolean open() {
        return !closed;
    }

    /** What is to be done next. */
    private record Work(List<Update> updates, List<Request> requests) {}

    private Work next() {
        try {
            awaitWork();
            Thread.sleep(GATHER);
        } catch (InterruptedException e) {
            shut();
        }
        return taken();
    }

    private synchronized void awaitWork() throws InterruptedException {
        busy = false;
        while (!closed && updates.isEmpty() && (paused || requests.isEmpty())) {
            wait();
        }
    }

    private synchronized Work taken() {
        List<Update> due = List.copyOf(updates);
        List<Request> ready = paused || !due.isEmpty() ? List.of() : List.copyOf(requests);
        updates.clear();
        if (!ready.isEmpty()) {
            requests.clear();
            busy = true;
        }
        abort = false;
        return new Work(due, ready);
    }

    private synchronized void setVersion(String newVersion) {
        version = newVersion;
    }

    private Policy replaced(NDManager owner, Policy old, Update update) {
        try {
            Policy policy = Policy.load(owner, update.folder(), precision, update.version());
            old.close();
            setVersion(policy.version());
            update.done().complete(policy.version());
            return policy;
        } catch (RuntimeException | Error e) {
            update.done().completeExceptionally(e);
            return old;
        }
    }

    private void answer(NDManager owner, Policy policy, List<Request> together) {
        try {
            for (Rectangle rectangle : Rectangle.of(together)) {
                answer(owner, policy, rectangle);
            }
        } catch (StoppedException e) {
            together.forEach(request -> request.abort(policy.version()));
        } catch (RuntimeException | Error e) {
            together.forEach(request -> request.fail(e));
        }
    }

    private void answer(NDManager owner, Policy policy, Rectangle rectangle) {
        Set<Integer> ends = new HashSet<>(policy.config().endTokens());
        ends.addAll(rectangle.kind().endTokens());
        new Sampler(policy.decoder(), owner, rows, ends, () -> abort)
                .sample(
                        rectangle.prompts(),
                        rectangle.settings(),
                        (prompt, answer) -> SplitMix64.at(
                                rectangle.place(prompt, answer).ask().seed()),
                        (prompt, answer, sample) ->
                                rectangle.place(prompt, answer).give(sample, policy.version()));
    }

    private synchronized void shut() {
        closed = true;
        abort();
        updates.forEach(update -> update.done().completeExceptionally(new IllegalStateException("the server stops")));
        updates.clear();
    }

    /** Stops soon: what is being sampled is aborted. */
    @Override
    public void close() {
        shut();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
