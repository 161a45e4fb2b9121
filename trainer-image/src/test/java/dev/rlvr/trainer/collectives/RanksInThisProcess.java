package dev.rlvr.trainer.collectives;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Ranks that are threads of this process but talk as processes do: each has a process group of its own, under a name of its own. */
public final class RanksInThisProcess {
    private static final AtomicInteger GROUPS = new AtomicInteger();
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private RanksInThisProcess() {}

    /** What a rank does. */
    @FunctionalInterface
    public interface Rank<T> {
        T run(NDManager owner, Collectives group) throws Exception;
    }

    /** What each rank returns, in order. */
    public static <T> List<T> run(int ranks, Rank<T> each) throws Exception {
        if (ranks == 1) {
            try (NDManager owner = Torch.start(1)) {
                return List.of(each.run(owner, Collectives.alone()));
            }
        }
        List<Meeting> meetings = meetings(ranks, TIMEOUT);
        List<Callable<T>> tasks = new ArrayList<>();
        for (Meeting meeting : meetings) {
            tasks.add(() -> {
                try (NDManager owner = Torch.start(1);
                        Collectives group = Gloo.open(meeting, owner)) {
                    return each.run(owner, group);
                }
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
            List<T> results = new ArrayList<>();
            for (Future<T> result : threads.invokeAll(tasks)) {
                results.add(result.get());
            }
            return results;
        }
    }

    static List<Meeting> meetings(int ranks, Duration timeout) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        int number = GROUPS.incrementAndGet();
        List<Meeting> meetings = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            meetings.add(new Meeting(
                    rank, ranks, "127.0.0.1", port, "127.0.0.1", "test-%d-rank-%d".formatted(number, rank), timeout));
        }
        return meetings;
    }
}
