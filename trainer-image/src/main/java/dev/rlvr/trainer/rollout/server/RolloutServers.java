package dev.rlvr.trainer.rollout.server;

import dev.rlvr.trainer.rollout.AnswerSource;
import dev.rlvr.trainer.rollout.Gathering;
import dev.rlvr.trainer.rollout.Sample;
import dev.rlvr.trainer.rollout.StoppedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers from servers. Strictly on-policy: what was not sampled with the current weights is asked for again. Servers say no entropies, so those
 * of the samples are NaN. With several ranks each asks for its own prompts' answers at all servers; all call {@link #weightsChanged} and then
 * {@code sample} equally often, even those that have no prompts, since writing weights needs every rank's part of them.
 */
public final class RolloutServers implements AnswerSource {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutServers.class);

    /** Answers of one request, at most. */
    private static final int PIECE = 16;

    /** Requests that one server has at the same time, at most. */
    private static final int REQUESTS = 256;

    private static final Duration LOOK = Duration.ofMillis(50);

    private final List<PooledServer> servers;
    private final HttpClient client;
    private final WeightsFolder weights;
    private final Patience patience;
    private final BooleanSupplier stopped;
    private final Role role;
    private Optional<Integer> changed = Optional.empty();
    private Optional<Keepers> keepers = Optional.empty();

    /**
     * Servers that are somewhere, in any state.
     *
     * @param endTokens ids that end an answer
     * @param folder that weights are written to; servers read it under the same path
     * @param run a name that no other run uses and all ranks share, part of the names of weights
     * @param export called by all ranks at the same time; only the first has to write
     * @param stopped whether to end soon with a {@link StoppedException}
     */
    public RolloutServers(
            Protocol protocol,
            List<URI> urls,
            Set<Integer> endTokens,
            Path folder,
            String run,
            WeightsExport export,
            Role role,
            Patience patience,
            BooleanSupplier stopped) {
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(patience.reply())
                .build();
        this.servers = urls.stream()
                .map(url -> new PooledServer(protocol.server(url, client, patience, endTokens), patience, role))
                .toList();
        this.weights = new WeightsFolder(folder, run, export, role);
        this.role = role;
        this.patience = patience;
        this.stopped = stopped;
    }

    /** Notes it; the weights are written when they are first needed. */
    @Override
    public void weightsChanged(int step) {
        changed = Optional.of(step);
    }

    /**
     * Writes the weights unless that was done; they may change while the servers sample with what was written.
     *
     * @throws UncheckedIOException if they cannot be written
     */
    @Override
    public Session open() {
        try {
            if (changed.isPresent()) {
                keepers.ifPresent(Keepers::close);
                WeightsFolder.Version version = weights.write(changed.get());
                keepers = role == Role.FIRST ? Optional.of(new Keepers(servers, version)) : Optional.empty();
                changed = Optional.empty();
            }
            return () -> {};
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the weights for the rollout servers", e);
        }
    }

    @Override
    public List<List<Sample>> sample(List<List<Integer>> prompts, Settings settings, Streams streams)
            throws InterruptedException {
        Gathering gathering = new Gathering(prompts.size(), settings.answers());
        sample(prompts, settings, streams, gathering);
        return gathering.samples();
    }

    /**
     * Samples answers to prompts and hands each over at once.
     *
     * @throws ServersLostException if no server could be used for {@link Patience#deadline}
     */
    @Override
    public void sample(List<List<Integer>> prompts, Settings settings, Streams streams, Finished finished)
            throws InterruptedException {
        List<Piece> pieces = pieces(prompts, settings, streams);
        if (pieces.isEmpty()) {
            return;
        }
        // half a share each, so that the faster ones can take more; a server alone shares with nobody
        int shares = servers.size() == 1 ? 1 : 2 * servers.size();
        int requests = Math.min(Math.ceilDiv(pieces.size(), shares), REQUESTS);
        try (Sampling sampling = new Sampling(pieces, settings, current())) {
            servers.forEach(server -> sampling.use(server, requests));
            hand(sampling, pieces.size(), finished);
        }
    }

    private static List<Piece> pieces(List<List<Integer>> prompts, Settings settings, Streams streams) {
        List<Piece> pieces = new ArrayList<>();
        for (int prompt = 0; prompt < prompts.size(); prompt++) {
            for (int from = 0; from < settings.answers(); from += PIECE) {
                List<Long> seeds = new ArrayList<>();
                for (int answer = from; answer < Math.min(from + PIECE, settings.answers()); answer++) {
                    seeds.add(streams.of(prompt, answer).state());
                }
                pieces.add(new Piece(prompt, from, prompts.get(prompt), seeds));
            }
        }
        return pieces;
    }

    private WeightsFolder.Version current() {
        return weights.newest().orElseThrow(() -> new IllegalStateException("sampling before any weights"));
    }

    /** Hands over what is answered until that is everything. */
    private void hand(Sampling sampling, int pieces, Finished finished) throws InterruptedException {
        long usable = System.nanoTime();
        for (int left = pieces; left > 0; ) {
            Optional<Sampling.Answered> next = sampling.next(LOOK);
            if (stopped.getAsBoolean()) {
                throw new StoppedException();
            }
            if (next.isPresent()) {
                left--;
                next.get().handTo(finished);
            }
            if (next.isPresent() || sampling.promising(servers)) {
                usable = System.nanoTime();
            } else if (System.nanoTime() - usable > patience.deadline().toNanos()) {
                throw lost();
            }
        }
    }

    private ServersLostException lost() {
        String each = servers.stream().map(PooledServer::problem).collect(Collectors.joining("; "));
        return new ServersLostException("no rollout server could be used for "
                + patience.deadline().toSeconds() + " s (" + each + "); look at these servers (spec.rollout.servers)");
    }

    /** Removes the weights that were written for the servers. */
    @Override
    public void close() {
        keepers.ifPresent(Keepers::close);
        client.shutdownNow();
        client.close();
        try {
            weights.delete();
        } catch (IOException e) {
            LOG.warn("cannot remove the weights written for rollout servers", e);
        }
    }
}
