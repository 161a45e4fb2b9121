package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A network between one connection and a port: once it is cut, nothing arrives, and neither end is told. */
final class Cable implements AutoCloseable {
    private final ServerSocket entry;
    private final int to;
    private volatile boolean cut;

    Cable(int to) throws IOException {
        this.entry = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        this.to = to;
        Thread.ofVirtual().start(this::connect);
    }

    int port() {
        return entry.getLocalPort();
    }

    void cut() {
        cut = true;
    }

    private void connect() {
        while (!entry.isClosed()) {
            try {
                Socket near = entry.accept();
                Thread.ofVirtual().start(() -> connect(near));
            } catch (IOException e) {
                // closed
            }
        }
    }

    private void connect(Socket near) {
        try {
            Socket far = new Socket(InetAddress.getLoopbackAddress(), to);
            Thread.ofVirtual().start(() -> pass(near, far));
            pass(far, near);
        } catch (IOException e) {
            // the far end does not listen yet
            close(near);
        }
    }

    private void pass(Socket from, Socket into) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = into.getOutputStream();
            for (int read = in.read(); read >= 0; read = in.read()) {
                if (!cut) {
                    out.write(read);
                }
            }
        } catch (IOException e) {
            // either end has gone
        }
        if (!cut) {
            close(into);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is of no use any more
        }
    }

    @Override
    public void close() throws IOException {
        entry.close();
    }
}
