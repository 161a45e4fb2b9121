package dev.rlvr.trainer.rollout.server;

import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.server.RolloutServer.Generated;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server and whether it may be used: it is left out from its first failure until it is healthy and has the current weights. Any number of
 * threads may use it.
 */
final class PooledServer {
    private static final Logger LOG = LoggerFactory.getLogger(PooledServer.class);

    /** Health checks, or requests for answers, that fail in a row until the server counts as lost. */
    private static final int LOST = 3;

    private final RolloutServer server;
    private final Patience patience;
    private final Role role;
    private final Set<RolloutServer.Sent> sent = ConcurrentHashMap.newKeySet();

    /** Held while the server is made usable. */
    private final ReentrantLock repair = new ReentrantLock();

    private String weights = "";
    private boolean trusted = true;

    /** Whether it may still be at requests that nobody waits for. */
    private boolean leftovers;

    /** Failures of any kind since the last answer. */
    private int failures;

    /** Uses that ended with a failure since the last answer. */
    private int brokenUses;

    private int uses;
    private String problem = "";

    PooledServer(RolloutServer server, Patience patience, Role role) {
        this.server = server;
        this.patience = patience;
        this.role = role;
    }

    /** Whether it has the weights and nothing speaks against it. */
    synchronized boolean usable(WeightsFolder.Version version) {
        return weights.equals(version.name()) && !leftovers;
    }

    /** Whether answers can be expected of it. */
    synchronized boolean promising(WeightsFolder.Version version) {
        return usable(version) && brokenUses < LOST;
    }

    /** What is wrong with it, or was last, in one line that starts with its URL. */
    synchronized String problem() {
        return problem.isEmpty() ? server.url() + ": has not answered yet" : problem;
    }

    /** Waits until the server is healthy and has the weights, giving them to it where it has others and that is this rank's to do. */
    void awaitUsable(WeightsFolder.Version version) throws InterruptedException {
        if (usable(version)) {
            return;
        }
        repair.lockInterruptibly();
        try {
            while (!usable(version)) {
                Thread.sleep(patience.pause(failures()));
                try {
                    server.requireHealthy();
                    if (leftovers() && role == Role.ALONE) { // others' requests must not be forgotten
                        server.abortAll();
                    }
                    if (!role.givesWeights()) {
                        awaitWeights(version);
                    } else if (!trusted() || !server.weightVersion().equals(version.name())) {
                        server.load(version);
                    }
                    use(version);
                } catch (IOException e) {
                    stillOut(e);
                }
            }
        } finally {
            repair.unlock();
        }
    }

    /**
     * Asks for answers.
     *
     * @throws IOException if it failed, or sampled with other weights; the server is left out from then on
     */
    Generated generate(Piece piece, AnswerSource.Settings settings, WeightsFolder.Version version)
            throws IOException, InterruptedException {
        int use = uses();
        RolloutServer.Sent request = server.send(piece, settings);
        sent.add(request);
        try {
            Generated generated = server.receive(request, piece, settings);
            if (!generated.version().equals(version.name())) {
                distrust();
                throw new IOException(server.url() + ": sampled with weights " + generated.version() + " where "
                        + version.name() + " were asked for");
            }
            succeeded();
            return generated;
        } catch (IOException e) {
            leaveOut(use, e);
            throw e;
        } catch (InterruptedException e) {
            giveUp();
            throw e;
        } finally {
            sent.remove(request);
            request.cancel();
        }
    }

    private void awaitWeights(WeightsFolder.Version version) throws IOException, InterruptedException {
        Duration pause = patience.firstPause();
        for (String has = server.weightVersion(); !has.equals(version.name()); has = server.weightVersion()) {
            missing(server.url() + ": has weights " + has + ", and not yet " + version.name());
            Thread.sleep(pause);
            pause = patience.weightsInterval();
        }
    }

    /** Keeps the server usable until interrupted: one that has come back without the weights gets them. */
    void keep(WeightsFolder.Version version) throws InterruptedException {
        while (true) {
            awaitUsable(version);
            Thread.sleep(patience.weightsInterval());
            int use = uses();
            try {
                String has = server.weightVersion();
                if (!has.equals(version.name())) {
                    throw new IOException(server.url() + ": has weights " + has + " where it had " + version.name());
                }
            } catch (IOException e) {
                leaveOut(use, e);
            }
        }
    }

    private synchronized void missing(String what) {
        problem = what;
    }

    /** Looks after the server while it is used: one that says several times that it is not healthy is left out. */
    void watch(WeightsFolder.Version version) throws InterruptedException {
        int misses = 0;
        while (true) {
            Thread.sleep(patience.healthInterval());
            if (!usable(version)) {
                misses = 0;
                continue;
            }
            int use = uses();
            try {
                server.requireHealthy();
                misses = 0;
            } catch (IOException e) {
                misses++;
                if (misses == LOST) {
                    leaveOut(use, e);
                    sent.forEach(RolloutServer.Sent::cancel);
                }
            }
        }
    }

    private synchronized int failures() {
        return failures;
    }

    private synchronized boolean trusted() {
        return trusted;
    }

    private synchronized boolean leftovers() {
        return leftovers;
    }

    private synchronized void giveUp() {
        leftovers = true;
    }

    private synchronized int uses() {
        return uses;
    }

    private synchronized void use(WeightsFolder.Version version) {
        weights = version.name();
        trusted = true;
        leftovers = false;
        uses++;
        if (!problem.isEmpty()) {
            LOG.info("rollout server {} is used again, with weights {}", server.url(), version.name());
        }
    }

    private synchronized void succeeded() {
        failures = 0;
        brokenUses = 0;
        problem = "";
    }

    private synchronized void distrust() {
        trusted = false;
    }

    /** Leaves the server out, once: one fault makes many requests fail, and some of them only after it has been made usable again. */
    private synchronized void leaveOut(int use, IOException cause) {
        if (use == uses && !weights.isEmpty()) {
            weights = "";
            brokenUses++;
            note(cause);
        }
    }

    private synchronized void stillOut(IOException cause) {
        note(cause);
    }

    private void note(IOException cause) {
        String message = String.valueOf(cause.getMessage());
        if (!message.equals(problem)) {
            LOG.warn("rollout server left out: {}", message);
        }
        problem = message;
        failures++;
    }
}
