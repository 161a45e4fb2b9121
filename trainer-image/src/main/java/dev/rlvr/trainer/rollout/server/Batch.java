package dev.rlvr.trainer.rollout.server;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * The pieces of one call and who is at which. Servers take them from one queue. A server that has nothing else to do takes a copy of a piece
 * that another has had for much longer than any piece took that is done; whoever is first counts.
 */
final class Batch {
    private static final Duration LOOK = Duration.ofMillis(100);

    /** A piece is late when it has taken this many times as long as the slowest that is done. */
    private static final int LATE = 2;

    private final Deque<Piece> waiting;
    private final IdentityHashMap<Piece, Out> out = new IdentityHashMap<>();

    /** Pieces that each server is the owner of. */
    private final Map<PooledServer, Integer> owned = new HashMap<>();

    private final LongSupplier nanos;
    private OptionalLong slowest = OptionalLong.empty();
    private int open;

    /** A piece that was taken: when, and by whom, its owner first. */
    private record Out(long since, List<PooledServer> servers) {
        PooledServer owner() {
            return servers.getFirst();
        }
    }

    Batch(List<Piece> pieces, LongSupplier nanos) {
        this.waiting = new ArrayDeque<>(pieces);
        this.open = pieces.size();
        this.nanos = nanos;
    }

    /** The next piece for a server, once there is one; empty when all are done. */
    synchronized Optional<Piece> take(PooledServer server) throws InterruptedException {
        while (open > 0) {
            Optional<Piece> fresh = Optional.ofNullable(waiting.pollFirst());
            if (fresh.isPresent()) {
                out.put(fresh.get(), new Out(nanos.getAsLong(), new ArrayList<>(List.of(server))));
                owned.merge(server, 1, Integer::sum);
                return fresh;
            }
            Optional<Piece> late = late(server);
            if (late.isPresent()) {
                out.get(late.get()).servers().add(server);
                return late;
            }
            wait(LOOK.toMillis());
        }
        return Optional.empty();
    }

    private Optional<Piece> late(PooledServer server) {
        if (owned.getOrDefault(server, 0) > 0 || slowest.isEmpty()) {
            return Optional.empty();
        }
        long before = nanos.getAsLong() - LATE * slowest.getAsLong();
        return out.entrySet().stream()
                .filter(entry -> entry.getValue().servers().size() == 1
                        && entry.getValue().since() < before)
                .min(Map.Entry.comparingByValue(Comparator.comparingLong(Out::since)))
                .map(Map.Entry::getKey);
    }

    /** Says that a piece has been answered; false if another server was faster. */
    synchronized boolean complete(Piece piece) {
        Out done = out.remove(piece);
        if (done == null) {
            return false;
        }
        owned.merge(done.owner(), -1, Integer::sum);
        slowest = OptionalLong.of(Math.max(slowest.orElse(0), nanos.getAsLong() - done.since()));
        open--;
        if (open == 0) {
            notifyAll();
        }
        return true;
    }

    /** Says that a server will not answer a piece: it is the next to be taken, unless another server is at it. */
    synchronized void giveBack(Piece piece, PooledServer server) {
        Out failed = out.get(piece);
        if (failed == null) {
            return;
        }
        owned.merge(failed.owner(), -1, Integer::sum);
        failed.servers().remove(server);
        if (failed.servers().isEmpty()) {
            out.remove(piece);
            waiting.addFirst(piece);
            notifyAll();
        } else {
            owned.merge(failed.owner(), 1, Integer::sum);
        }
    }

    /** Whether all pieces are done. */
    synchronized boolean done() {
        return open == 0;
    }
}
