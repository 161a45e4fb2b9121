package dev.rlvr.trainer.launch;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Keeps a rank's part of {@code docs/trainer.md} without training: it is connected to its peers as in a collective, notices at once when one
 * of them dies, and stops on SIGTERM. Arguments: a folder, where it leaves its process number, and what single ranks do out of the ordinary.
 *
 * <ul>
 *   <li>{@code 1=exit CODE WORDS}: ends so once all are there; {@code *} stands for all ranks
 *   <li>{@code 1=leave CODE WORDS}: says so, and stays
 *   <li>{@code 1=deaf}: notices neither peers nor SIGTERM
 *   <li>{@code 1=save MILLIS}: takes so long to write its checkpoint once it is asked to stop
 * </ul>
 */
public final class StandInRank {
    private static final Map<String, String> ENVIRONMENT = System.getenv();
    private static final int RANK = Integer.parseInt(ENVIRONMENT.get("RLVR_RANK"));
    private static final int SIZE = Integer.parseInt(ENVIRONMENT.get("RLVR_WORLD_SIZE"));

    private final String behaviour;
    private volatile boolean stopping;

    private StandInRank(String behaviour) {
        this.behaviour = behaviour;
    }

    public static void main(String[] arguments) throws Exception {
        List<String> told = List.of(arguments).subList(1, arguments.length);
        String behaviour = told.stream()
                .filter(text -> text.startsWith(RANK + "=") || text.startsWith("*="))
                .map(text -> text.substring(text.indexOf('=') + 1))
                .findFirst()
                .orElse("");
        new StandInRank(behaviour).run(Path.of(arguments[0]));
    }

    private void run(Path folder) throws Exception {
        Lifeline lifeline = Lifeline.hold(ENVIRONMENT, how -> end(75, how));
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop));
        if (RANK == 0) {
            Map<String, String> given = new TreeMap<>(ENVIRONMENT);
            given.keySet().retainAll(List.of("RLVR_BIND_HOST", "RLVR_GROUP", "RLVR_THREADS", "RLVR_WORLD_SIZE"));
            System.out.println(given);
        }
        if (ENVIRONMENT.containsKey("CUDA_VISIBLE_DEVICES")) {
            System.out.println("sees " + ENVIRONMENT.get("CUDA_VISIBLE_DEVICES"));
        }
        meet();
        System.out.println("all are there");
        Path next = folder.resolve("rank-" + RANK + ".next");
        Files.writeString(next, Long.toString(ProcessHandle.current().pid()));
        Files.move(next, folder.resolve("rank-" + RANK));
        if (behaviour.startsWith("exit ")) {
            String[] words = behaviour.split(" ", 3);
            end(Integer.parseInt(words[1]), words.length > 2 ? words[2] : "");
        }
        if (behaviour.startsWith("leave ")) {
            String[] words = behaviour.split(" ", 3);
            if (words.length > 2) {
                Files.writeString(Path.of(ENVIRONMENT.get("RLVR_TERMINATION_LOG")), words[2]);
            }
            lifeline.leave(Integer.parseInt(words[1]));
        }
        Thread.sleep(Long.MAX_VALUE);
    }

    /** Rank 0 listens, as for libtorch's store; a connection that breaks is a lost peer. */
    private void meet() throws IOException {
        InetAddress host = InetAddress.getByName(ENVIRONMENT.get("RLVR_STORE_HOST"));
        int port = Integer.parseInt(ENVIRONMENT.get("RLVR_STORE_PORT"));
        if (RANK > 0) {
            Socket first = connect(host, port);
            first.getOutputStream().write(RANK);
            first.getInputStream().read();
            watch(0, first);
            return;
        }
        try (ServerSocket store = new ServerSocket(port, 50, host)) {
            Socket[] peers = new Socket[SIZE];
            for (int i = 1; i < SIZE; i++) {
                Socket peer = store.accept();
                peers[peer.getInputStream().read()] = peer;
            }
            for (int rank = 1; rank < SIZE; rank++) {
                peers[rank].getOutputStream().write(1);
                watch(rank, peers[rank]);
            }
        }
    }

    private static Socket connect(InetAddress host, int port) throws IOException {
        for (int tries = 0; ; tries++) {
            try {
                return new Socket(host, port);
            } catch (IOException e) {
                if (tries == 1000) {
                    throw e;
                }
                pause(20);
            }
        }
    }

    private void watch(int rank, Socket peer) {
        if (behaviour.equals("deaf") || behaviour.startsWith("exit ") || behaviour.startsWith("leave ")) {
            return;
        }
        Thread.ofPlatform().daemon().start(() -> {
            try (InputStream in = peer.getInputStream()) {
                in.read();
            } catch (IOException e) {
                // broken is broken
            }
            if (!stopping) {
                end(75, "lost rank " + rank + ": connection closed by peer");
            }
        });
    }

    private void stop() {
        if (behaviour.equals("deaf")) {
            pause(Long.MAX_VALUE);
        }
        stopping = true;
        if (behaviour.startsWith("save ")) {
            pause(Long.parseLong(behaviour.substring(5)));
        }
        end(75, "stopped on request; the state is saved");
    }

    private static void end(int code, String words) {
        try {
            if (code != 0) {
                Files.writeString(Path.of(ENVIRONMENT.get("RLVR_TERMINATION_LOG")), words);
            }
        } catch (IOException e) {
            System.out.println("no last words: " + e);
        }
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
