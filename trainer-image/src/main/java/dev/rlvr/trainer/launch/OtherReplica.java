package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/** As every replica but the first sees the others: it goes to replica 0 and hears of them from there. */
final class OtherReplica implements Replicas {
    private static final Member FIRST = new Member.Replica(0);
    private static final long PAUSE_MILLIS = 500;

    private final LaunchSettings settings;
    private Optional<Link> link = Optional.empty();
    private boolean settled;
    private volatile String trouble = "";
    private volatile boolean closed;

    OtherReplica(LaunchSettings settings) {
        this.settings = settings;
    }

    @Override
    public void seek(Events events) {
        Thread.ofVirtual().start(() -> connect(events));
    }

    /** Tries again and again: the pod of replica 0 may be slower, and its name may not exist yet. */
    private void connect(Events events) {
        Message.Hello hello =
                new Message.Hello(new Member.Replica(settings.world().replica()), settings.group());
        try {
            while (!closed) {
                try {
                    InetSocketAddress at = settings.rendezvous().orElseThrow().resolve();
                    Link joined = Link.join(at, hello, FIRST, settings.peerTimeout());
                    events.accept(new Event.Joined(joined));
                    joined.open(Thread.ofVirtual().factory(), events);
                    return;
                } catch (RefusedException e) {
                    events.accept(new Event.Rejected(e.getMessage()));
                    return;
                } catch (IOException e) {
                    trouble = e instanceof UnknownHostException
                            ? "its name is not known"
                            : String.valueOf(e.getMessage());
                    Thread.sleep(PAUSE_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String missing() {
        return link.isPresent()
                ? "replica 0, which waits for others"
                : "replica 0 at %s (%s)".formatted(settings.rendezvous().orElseThrow(), trouble);
    }

    @Override
    public void joined(Link first) {
        link = Optional.of(first);
    }

    @Override
    public boolean complete() {
        return false;
    }

    @Override
    public void tell(Message message) {
        link.ifPresent(first -> first.send(message));
    }

    @Override
    public void settle(Member replica) {
        settled = true;
    }

    @Override
    public void report(Verdict verdict) {
        tell(new Message.Report(verdict));
    }

    @Override
    public boolean settled() {
        return settled || link.isEmpty();
    }

    @Override
    public void end(Verdict verdict) {
        // it has said so in its report
    }

    @Override
    public void close() {
        closed = true;
        link.ifPresent(Link::close);
    }
}
