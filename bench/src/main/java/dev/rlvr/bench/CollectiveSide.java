package dev.rlvr.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.rlvr.crds.TrainerEnvironment;
import dev.rlvr.trainer.collectives.Gloo;
import dev.rlvr.trainer.collectives.LostRankException;
import dev.rlvr.trainer.collectives.Meeting;
import dev.rlvr.trainer.torch.Script;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Two ranks of one thread each that reduce {@link #BYTES} of F32 between them, {@link #TIMES} times a round; or that each only copy as much. This process is rank 0 and starts rank
 * 1. Its check is an element of the result.
 */
final class CollectiveSide implements SideLoop.Work {
    /** Bytes that each rank gives. */
    static final int BYTES = 32_000_000;

    /** Calls of a round. */
    static final int TIMES = 8;

    private static final int RANKS = 2;
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final String SCRIPT = """
              def ones(self: __torch__.M, x: Tensor) -> Tensor:
                return torch.fill_(x, 1.)
              def copy(self: __torch__.M, x: Tensor, to: Tensor) -> Tensor:
                return torch.copy_(to, x)
            """;
    private static final String C10D = """
              def all_reduce(self: __torch__.M, x: Tensor) -> Tensor:
                return ops._c10d_functional.wait_tensor(ops._c10d_functional.all_reduce_(x, "sum", "$GROUP"))
              def reduce_scatter(self: __torch__.M, x: Tensor, n: int, to: Tensor) -> Tensor:
                return torch.copy_(to, ops._c10d_functional.wait_tensor(ops._c10d_functional.reduce_scatter_tensor(x, "sum", n, "$GROUP")))
            """;

    /** What is measured, and through what. */
    enum What {
        ALL_REDUCE,
        ALL_REDUCE_C10D,
        REDUCE_SCATTER,
        REDUCE_SCATTER_C10D,
        COPY
    }

    private final What what;
    private final NDManager owner = Torch.start(1);
    private final Gloo group;
    private final Script script;
    private final NDArray whole = owner.ones(new Shape(BYTES / Float.BYTES));
    private final NDArray share = owner.zeros(new Shape(BYTES / Float.BYTES / RANKS));
    private final NDArray copy = owner.zeros(new Shape(BYTES / Float.BYTES));

    private CollectiveSide(What what, Meeting meeting) throws InterruptedException {
        this.what = what;
        this.group = Gloo.open(meeting, owner);
        this.script = Script.compile(SCRIPT + C10D.replace("$GROUP", meeting.group()));
    }

    /** Arguments of rank 0: a {@link What}; of rank 1 also the port of rank 0 and the group's name. */
    public static void main(String[] args) throws InterruptedException {
        What what = What.valueOf(args[0]);
        if (args.length == 1) {
            SideLoop.serve(() -> first(what));
        } else {
            CollectiveSide second = new CollectiveSide(what, meeting(1, Integer.parseInt(args[1]), args[2]));
            try {
                while (true) {
                    second.prepare();
                    second.round();
                }
            } catch (LostRankException e) {
                // rank 0 is done
                Runtime.getRuntime().halt(0);
            }
        }
    }

    private static SideLoop.Work first(What what) throws IOException {
        try {
            int port = freePort();
            String name = "bench-" + UUID.randomUUID();
            List<String> command = new ArrayList<>(TrainerEnvironment.jvm(1));
            command.addFirst(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of(
                    "-cp",
                    System.getProperty("java.class.path"),
                    CollectiveSide.class.getName(),
                    what.name(),
                    Integer.toString(port),
                    name));
            Process second = new ProcessBuilder(command).inheritIO().start();
            Runtime.getRuntime().addShutdownHook(new Thread(second::destroy));
            return new CollectiveSide(what, meeting(0, port, name));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    private static Meeting meeting(int rank, int port, String name) {
        String here = InetAddress.getLoopbackAddress().getHostAddress();
        return new Meeting(rank, RANKS, here, port, here, name, PATIENCE);
    }

    @Override
    public void prepare() {
        script.tensor(owner, "ones", whole).close();
    }

    @Override
    public double round() {
        NDArray result = whole;
        for (int i = 0; i < TIMES; i++) {
            result = once();
        }
        return result.getFloat(0);
    }

    private NDArray once() {
        return switch (what) {
            case ALL_REDUCE -> {
                group.reduceScatter(whole, share, DataType.FLOAT32).await();
                yield group.allGather(share, whole).await();
            }
            case ALL_REDUCE_C10D -> {
                script.tensor(owner, "all_reduce", whole).close();
                yield whole;
            }
            case REDUCE_SCATTER ->
                group.reduceScatter(whole, share, DataType.FLOAT32).await();
            case REDUCE_SCATTER_C10D -> {
                script.tensor(owner, "reduce_scatter", whole, RANKS, share).close();
                yield share;
            }
            case COPY -> {
                script.tensor(owner, "copy", whole, copy).close();
                group.barrier();
                yield copy;
            }
        };
    }

    @Override
    public void close() {
        script.close();
        group.close();
        owner.close();
    }
}
