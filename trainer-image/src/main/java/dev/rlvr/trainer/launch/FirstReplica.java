package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** As replica 0 sees the others: they come to it, and it passes on what one of them says. */
final class FirstReplica implements Replicas {
    /** For others to hear the last word; one that is frozen hears none. */
    private static final Duration FAREWELL = Duration.ofSeconds(1);

    private final LaunchSettings settings;
    private final Set<Integer> missing;
    private final Map<Member, Link> links = new HashMap<>();
    private final Set<Member> settled = new HashSet<>();
    private Optional<Gate> gate = Optional.empty();
    private boolean went;

    FirstReplica(LaunchSettings settings) {
        this.settings = settings;
        this.missing =
                IntStream.range(1, settings.world().replicas()).boxed().collect(Collectors.toCollection(TreeSet::new));
    }

    @Override
    public void seek(Events events) throws IOException {
        if (missing.isEmpty()) {
            return;
        }
        int port = settings.rendezvous().orElseThrow().port();
        gate = Optional.of(Gate.open(
                new InetSocketAddress(settings.bindHost(), port),
                settings.group(),
                missing.stream().map(Member.Replica::new).collect(Collectors.toSet()),
                settings.peerTimeout(),
                events,
                Thread.ofVirtual().factory()));
    }

    @Override
    public String missing() {
        return "%s %s of %d"
                .formatted(
                        missing.size() == 1 ? "replica" : "replicas",
                        missing.stream().map(Object::toString).collect(Collectors.joining(", ")),
                        settings.world().replicas());
    }

    @Override
    public void joined(Link link) {
        links.put(link.peer(), link);
        missing.removeIf(index -> new Member.Replica(index).equals(link.peer()));
    }

    @Override
    public boolean complete() {
        boolean now = missing.isEmpty() && !went;
        went = went || now;
        return now;
    }

    @Override
    public void tell(Message message) {
        links.values().forEach(link -> link.send(message));
    }

    @Override
    public void settle(Member replica) {
        settled.add(replica);
    }

    @Override
    public void report(Verdict verdict) {
        // it is the one that is reported to
    }

    @Override
    public boolean settled() {
        return settled.containsAll(links.keySet());
    }

    @Override
    public void end(Verdict verdict) throws InterruptedException {
        tell(new Message.End(verdict));
        for (Link link : links.values()) {
            if (!link.awaitEnd(FAREWELL)) {
                return;
            }
        }
    }

    @Override
    public void close() {
        gate.ifPresent(Gate::close);
        links.values().forEach(Link::close);
    }
}
