package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where members of one attempt of one job connect to: each once, and nobody else. */
final class Gate implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);

    private final ServerSocket door;
    private final String token;
    private final Set<Member> awaited;
    private final Duration peerTimeout;
    private final Consumer<Event> events;
    private final ThreadFactory threads;

    private Gate(
            ServerSocket door,
            String token,
            Set<Member> awaited,
            Duration peerTimeout,
            Consumer<Event> events,
            ThreadFactory threads) {
        this.door = door;
        this.token = token;
        this.awaited = new HashSet<>(awaited);
        this.peerTimeout = peerTimeout;
        this.events = events;
        this.threads = threads;
    }

    /**
     * Begins to listen.
     *
     * @param at port 0 for any
     * @param awaited who may come
     * @param events is told who has come, from any thread
     * @throws IOException if the address is not this machine's or is taken
     */
    static Gate open(
            InetSocketAddress at,
            String token,
            Set<Member> awaited,
            Duration peerTimeout,
            Consumer<Event> events,
            ThreadFactory threads)
            throws IOException {
        ServerSocket door = new ServerSocket();
        try {
            door.setReuseAddress(true);
            door.bind(at, awaited.size() + 64);
        } catch (IOException e) {
            door.close();
            throw new IOException("cannot listen on " + at + ": " + e.getMessage(), e);
        }
        Gate gate = new Gate(door, token, awaited, peerTimeout, events, threads);
        threads.newThread(gate::accept).start();
        return gate;
    }

    int port() {
        return door.getLocalPort();
    }

    private void accept() {
        while (!door.isClosed()) {
            try {
                Socket visitor = door.accept();
                threads.newThread(() -> greet(visitor)).start();
            } catch (IOException e) {
                if (!door.isClosed()) {
                    LOG.warn("cannot accept a connection: {}", e.getMessage());
                }
            }
        }
    }

    private void greet(Socket visitor) {
        try {
            Link link = Link.accept(visitor, this, peerTimeout);
            events.accept(new Event.Joined(link));
            link.open(threads, events);
        } catch (IOException e) {
            LOG.warn("turned away {}: {}", visitor.getRemoteSocketAddress(), e.getMessage());
            try {
                visitor.close();
            } catch (IOException ignored) {
                // it is not wanted anyway
            }
        }
    }

    /** Lets a member in that is awaited. */
    void require(Message.Hello hello) throws RefusedException {
        if (!hello.token().equals(token)) {
            throw new RefusedException("%s is of attempt %s, and this is %s; it is from an attempt that has ended"
                    .formatted(hello.member(), hello.token(), token));
        }
        synchronized (awaited) {
            if (!awaited.remove(hello.member())) {
                throw new RefusedException(hello.member() + " is not awaited: it is there already, or not of this job");
            }
        }
    }

    @Override
    public void close() {
        try {
            door.close();
        } catch (IOException e) {
            LOG.debug("closing {}", door, e);
        }
    }
}
