package dev.rlvr.trainer.launch;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A connection whose two ends prove to each other that they live: each sends a line at least every sixth of the peer timeout and holds the
 * other for lost after five sixths of silence, so that a sixth is left for ending. A connection that closes is a loss at once.
 */
final class Link implements AutoCloseable {
    private static final int BEATS = 6;
    private static final int LONGEST_LINE = 64 << 10;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final Member peer;
    private final Duration peerTimeout;
    private final ByteArrayOutputStream begun = new ByteArrayOutputStream();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile boolean leaving;
    private volatile boolean closed;

    private Link(Socket socket, Member peer, Duration peerTimeout) throws IOException {
        this(socket, new BufferedInputStream(socket.getInputStream()), socket.getOutputStream(), peer, peerTimeout);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(Math.toIntExact(interval(peerTimeout).toMillis()));
    }

    private Link(Socket socket, InputStream in, OutputStream out, Member peer, Duration peerTimeout) {
        this.socket = socket;
        this.in = in;
        this.out = out;
        this.peer = peer;
        this.peerTimeout = peerTimeout;
    }

    private static Duration interval(Duration peerTimeout) {
        return peerTimeout.dividedBy(BEATS);
    }

    /** How long a peer may be silent. */
    static Duration patience(Duration peerTimeout) {
        return interval(peerTimeout).multipliedBy(BEATS - 1);
    }

    /**
     * Connects and says hello.
     *
     * @throws RefusedException if the other end does not want this one
     */
    static Link join(InetSocketAddress at, Message.Hello hello, Member peer, Duration peerTimeout) throws IOException {
        Socket socket = new Socket();
        try {
            socket.connect(at, Math.toIntExact(patience(peerTimeout).toMillis()));
            Link link = new Link(socket, peer, peerTimeout);
            link.send(hello);
            return switch (link.read()) {
                case Message.Welcome() -> link;
                case Message.Refused(String reason) -> throw new RefusedException(reason);
                case Message other -> throw new ProtocolException("no answer to hello: " + other);
            };
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** The other end of a connection that was accepted, once it has said who it is. */
    static Link accept(Socket socket, Gate gate, Duration peerTimeout) throws IOException {
        Link unknown = new Link(socket, new Member.Launcher(), peerTimeout);
        if (!(unknown.read() instanceof Message.Hello hello)) {
            throw new ProtocolException("no hello");
        }
        try {
            gate.require(hello);
        } catch (RefusedException e) {
            unknown.send(new Message.Refused(e.getMessage()));
            throw e;
        }
        unknown.send(new Message.Welcome());
        return new Link(socket, unknown.in, unknown.out, hello.member(), peerTimeout);
    }

    /** Tells what the other end says and how it is lost, and keeps saying that this end lives. */
    void open(ThreadFactory threads, Consumer<Event> events) {
        threads.newThread(() -> listen(events)).start();
        threads.newThread(this::beat).start();
    }

    Member peer() {
        return peer;
    }

    /** Sends a line; one that cannot be sent is lost with the connection, which the listener tells. */
    synchronized void send(Message message) {
        try {
            out.write((message.line() + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // the reading side sees the same
        }
    }

    /** Sends the last line of this end, which the connection's end need not follow soon; whatever becomes of the other end is of no interest then. */
    void leave(Message.Leaving last) {
        leaving = true;
        send(last);
    }

    /** Waits until the other end has closed: what it was told last is not lost then. Returns whether it has. */
    boolean awaitEnd(Duration atMost) throws InterruptedException {
        return over.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        closed = true;
        try {
            socket.close();
        } catch (IOException e) {
            // there is nothing left to lose
        }
    }

    private void beat() {
        try {
            while (!closed && !leaving) {
                send(new Message.Beat());
                Thread.sleep(interval(peerTimeout));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void listen(Consumer<Event> events) {
        try {
            while (!closed) {
                Message message = read();
                if (!(message instanceof Message.Beat)) {
                    events.accept(new Event.Heard(peer, message));
                }
            }
        } catch (SocketTimeoutException e) {
            tell(events, new Event.Silent(peer, seconds(patience(peerTimeout))));
        } catch (IOException e) {
            tell(events, new Event.Gone(peer));
        } finally {
            over.countDown();
        }
    }

    private void tell(Consumer<Event> events, Event loss) {
        if (!closed) {
            close();
            if (!leaving) {
                events.accept(loss);
            }
        }
    }

    /**
     * Reads the next line. Silence is counted in beats, not by the clock: a process that was itself frozen must not blame the other.
     *
     * @throws SocketTimeoutException if the other end is silent for too long
     */
    private Message read() throws IOException {
        for (int missed = 1; ; missed++) {
            try {
                return Message.parse(line());
            } catch (SocketTimeoutException e) {
                if (missed >= BEATS - 1) {
                    throw e;
                }
            }
        }
    }

    /** What has come of a line stays when a read runs out of time. */
    private String line() throws IOException {
        int read = in.read();
        while (read != '\n') {
            if (read < 0) {
                throw new EOFException();
            }
            if (begun.size() == LONGEST_LINE) {
                throw new ProtocolException("a line without end");
            }
            begun.write(read);
            read = in.read();
        }
        String line = begun.toString(StandardCharsets.UTF_8);
        begun.reset();
        return line;
    }

    private static String seconds(Duration duration) {
        long millis = duration.toMillis();
        return millis % 1000 == 0 || millis > 10_000
                ? "%d s".formatted(Math.round(millis / 1e3))
                : "%.1f s".formatted(millis / 1e3);
    }
}
