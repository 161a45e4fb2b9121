package dev.rlvr.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.trainer.objective.ForkingTokenMask;
import dev.rlvr.trainer.report.RolloutFile;
import dev.rlvr.trainer.rollout.RandomStreams;
import dev.rlvr.trainer.rollout.TextCodec;
import dev.rlvr.trainer.torch.Script;
import dev.rlvr.trainer.torch.Torch;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Measures what one thread of this machine can do, each thing alone: the constants of the model of step times, and nothing of a step. Seconds are
 * those that the thread had a processor for, so that others on the machine disturb little.
 */
final class Calibration {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int ROUNDS = 15;
    private static final int SIDE = 1024;
    private static final long COPIED = 64L << 20;
    private static final int SENT = 32 << 20;
    private static final int PINGS = 2000;
    private static final int ANSWERS = 64;
    private static final int LENGTH = 512;

    private Calibration() {}

    /**
     * Rates per second.
     *
     * @param flops of F32 products
     * @param memoryBandwidth bytes read and written
     * @param link bytes from one process to another of the machine
     * @param latency seconds of the smallest message
     * @param everyRank seconds of each token's text and selection
     * @param firstRank seconds of each token in the file of rollouts
     */
    record Constants(
            double flops, double memoryBandwidth, double link, double latency, double everyRank, double firstRank) {}

    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    /** Of this thread; the median of some rounds. */
    private static double seconds(Work work) throws IOException {
        double[] seconds = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            long start = THREADS.getCurrentThreadCpuTime();
            work.run();
            seconds[round] = (THREADS.getCurrentThreadCpuTime() - start) / 1e9;
        }
        return Statistics.median(seconds);
    }

    /** Arguments: a model folder, whose tokenizer is used, and a folder to write to. Prints {@link Constants} as JSON. */
    public static void main(String[] args) throws IOException {
        NDManager owner = Torch.start(1);
        double[] link = link();
        TextCodec codec = TextCodec.open(Path.of(args[0]).resolve("tokenizer.json"));
        Constants constants = new Constants(
                flops(owner), memory(owner), link[0], link[1], everyRank(codec), firstRank(codec, Path.of(args[1])));
        System.out.println(new ObjectMapper().writeValueAsString(constants));
        System.out.flush();
        // libtorch's destructors are left out, since its threads may still be there
        Runtime.getRuntime().halt(0);
    }

    private static double flops(NDManager owner) throws IOException {
        try (NDManager scope = owner.newSubManager();
                Script script = Script.compile("""
                      def product(self: __torch__.M, x: Tensor, w: Tensor) -> Tensor:
                        none = annotate(List[Optional[number]], [])
                        return ops.mkldnn._linear_pointwise(x, w, None, "none", none, "")
                    """)) {
            NDArray x = scope.ones(new Shape(SIDE, SIDE));
            NDArray w = scope.ones(new Shape(SIDE, SIDE));
            double seconds = seconds(() -> script.tensor(scope, "product", x, w).close());
            return 2.0 * SIDE * SIDE * SIDE / seconds;
        }
    }

    private static double memory(NDManager owner) throws IOException {
        try (NDManager scope = owner.newSubManager();
                Script script = Script.compile("""
                      def copy(self: __torch__.M, to: Tensor, x: Tensor) -> Tensor:
                        return torch.copy_(to, x)
                    """)) {
            NDArray from = scope.ones(new Shape(COPIED / Float.BYTES));
            NDArray to = scope.zeros(new Shape(COPIED / Float.BYTES));
            double seconds =
                    seconds(() -> script.tensor(scope, "copy", to, from).close());
            return 2.0 * COPIED / seconds;
        }
    }

    /** Bytes per second over a loopback connection, and seconds of a message: each sender and receiver takes a processor. */
    private static double[] link() throws IOException {
        AtomicLong received = new AtomicLong();
        AtomicLong answered = new AtomicLong();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread peer = Thread.ofPlatform().daemon().start(() -> answer(server, received, answered));
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
                socket.setTcpNoDelay(true);
                byte[] block = new byte[SENT];
                double sending = seconds(() -> {
                    socket.getOutputStream().write(block);
                    socket.getInputStream().read();
                });
                double pinging = seconds(() -> {
                    for (int i = 0; i < PINGS; i++) {
                        socket.getOutputStream().write(1);
                        socket.getInputStream().read();
                    }
                });
                socket.shutdownOutput();
                peer.join();
                return new double[] {
                    SENT / (sending + received.get() / 1e9 / ROUNDS),
                    (pinging / PINGS + answered.get() / 1e9 / ROUNDS / PINGS) / 2
                };
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Answers each block, then each byte, with one byte; says how many nanoseconds of a processor each took. */
    private static void answer(ServerSocket server, AtomicLong received, AtomicLong answered) {
        try (Socket socket = server.accept()) {
            socket.setTcpNoDelay(true);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] block = new byte[SENT];
            long start = THREADS.getCurrentThreadCpuTime();
            for (int round = 0; round < ROUNDS; round++) {
                in.readFully(block);
                socket.getOutputStream().write(1);
            }
            long between = THREADS.getCurrentThreadCpuTime();
            received.set(between - start);
            while (in.read() >= 0) {
                socket.getOutputStream().write(1);
            }
            answered.set(THREADS.getCurrentThreadCpuTime() - between);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int[] tokens(int answer) {
        return IntStream.range(0, LENGTH)
                .map(i -> (answer * 7919 + i * 1049) % 4096)
                .toArray();
    }

    private static double everyRank(TextCodec codec) throws IOException {
        List<int[]> answers =
                IntStream.range(0, ANSWERS).mapToObj(Calibration::tokens).toList();
        float[] entropies = new float[ANSWERS * LENGTH];
        RandomGenerator random = new Random(1);
        for (int i = 0; i < entropies.length; i++) {
            entropies[i] = random.nextFloat();
        }
        ForkingTokens settings = new ForkingTokens(
                ForkingTokens.Select.HighestEntropy,
                ForkingTokens.DEFAULT_FRACTION,
                null,
                ForkingTokens.Scope.MiniBatch,
                ForkingTokens.Denominator.Kept,
                ForkingTokens.EntropyFrom.Current);
        double seconds = seconds(() -> {
            answers.forEach(codec::decode);
            ForkingTokenMask.select(entropies, settings, RandomStreams.of(RandomStreams.Purpose.MASK, 0));
        });
        return seconds / entropies.length;
    }

    private static double firstRank(TextCodec codec, Path folder) throws IOException {
        Files.createDirectories(folder);
        float[] figures = new float[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            figures[i] = (float) Math.log(1e-3 * (i + 1));
        }
        RolloutFile file = new RolloutFile(folder);
        double seconds = seconds(() -> {
            List<RolloutFile.Sample> samples = new ArrayList<>();
            for (int answer = 0; answer < ANSWERS; answer++) {
                int[] ids = tokens(answer);
                samples.add(new RolloutFile.Sample(
                        "",
                        "",
                        codec.decode(ids),
                        ids,
                        codec.pieces(ids),
                        figures,
                        figures,
                        0,
                        1,
                        1,
                        new boolean[LENGTH]));
            }
            file.write(1, samples);
        });
        return seconds / (ANSWERS * LENGTH);
    }
}
