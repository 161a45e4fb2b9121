package dev.rlvr.trainer.rollout;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.Decoding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;

/** Samples answers with the trainer's own weights. Finished answers leave the batch. */
public final class Sampler {
    /** Tokens drawn between two looks at what has ended. */
    private static final int COLUMNS = 8;

    /** Answers decoded together: more would not be faster on a CPU, and caches grow with it. */
    public static final int ROWS = 512;

    /** The batch is packed anew when fewer than this share of its rows is still being written. */
    private static final double PACK_BELOW = 0.8;

    private final Decoder decoder;
    private final NDManager owner;
    private final Set<Integer> endTokens;
    private final BooleanSupplier stopped;

    /**
     * How to sample.
     *
     * @param answers per prompt
     * @param temperature 0 takes the likeliest token
     * @param longest answer in tokens
     */
    public record Settings(int answers, double temperature, int longest) {}

    /** Gives the random numbers of an answer by (prompt, answer), both from 0. */
    @FunctionalInterface
    public interface Streams {
        RandomGenerator of(int prompt, int answer);
    }

    /** A sampler that throws {@link StoppedException} soon after {@code stopped} turns true. */
    public Sampler(Decoder decoder, NDManager owner, BooleanSupplier stopped) {
        this.decoder = decoder;
        this.owner = owner;
        this.endTokens = Set.copyOf(decoder.weights().config().endTokens());
        this.stopped = stopped;
    }

    /**
     * Samples answers to prompts.
     *
     * @param prompts token ids
     * @return the answers of prompt p at position p, {@code settings.answers()} each
     */
    public List<List<Sample>> sample(List<List<Integer>> prompts, Settings settings, Streams streams) {
        List<List<Sample>> samples = new ArrayList<>();
        int promptsAtOnce = Math.max(1, ROWS / settings.answers());
        for (int from = 0; from < prompts.size(); from += promptsAtOnce) {
            int to = Math.min(from + promptsAtOnce, prompts.size());
            int offset = from;
            List<Draft> drafts =
                    batch(prompts.subList(from, to), settings, (prompt, answer) -> streams.of(offset + prompt, answer));
            for (int p = 0; p < to - from; p++) {
                samples.add(drafts.subList(p * settings.answers(), (p + 1) * settings.answers()).stream()
                        .map(Draft::finish)
                        .toList());
            }
        }
        return samples;
    }

    private List<Draft> batch(List<List<Integer>> prompts, Settings settings, Streams streams) {
        List<Draft> drafts = new ArrayList<>();
        for (int p = 0; p < prompts.size(); p++) {
            for (int a = 0; a < settings.answers(); a++) {
                drafts.add(new Draft(streams.of(p, a)));
            }
        }
        List<Draft> rows = drafts;
        try (Decoding decoding =
                decoder.decode(owner, prompts, settings.answers(), uniforms(rows, 1), settings.temperature())) {
            append(rows, decoding.first(), settings);
            rows = pack(decoding, rows);
            while (!rows.isEmpty()) {
                if (stopped.getAsBoolean()) {
                    throw new StoppedException();
                }
                int longestLeft = rows.stream()
                        .mapToInt(row -> settings.longest() - row.drawn)
                        .max()
                        .orElseThrow();
                int columns = Math.min(COLUMNS, longestLeft);
                append(rows, decoding.advance(columns, uniforms(rows, columns)), settings);
                rows = pack(decoding, rows);
            }
        }
        return drafts;
    }

    private static double[] uniforms(List<Draft> rows, int columns) {
        double[] uniforms = new double[rows.size() * columns];
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < columns; column++) {
                uniforms[row * columns + column] = rows.get(row).random.nextDouble();
            }
        }
        return uniforms;
    }

    private void append(List<Draft> rows, Decoding.Drawn drawn, Settings settings) {
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < drawn.columns(); column++) {
                int at = row * drawn.columns() + column;
                rows.get(row)
                        .add(
                                Math.toIntExact(drawn.tokens()[at]),
                                drawn.logProbabilities()[at],
                                drawn.entropies()[at],
                                endTokens,
                                settings.longest());
            }
        }
    }

    /** Leaves finished rows out once they are many enough to be worth a copy of the caches. */
    private static List<Draft> pack(Decoding decoding, List<Draft> rows) {
        int[] open = java.util.stream.IntStream.range(0, rows.size())
                .filter(row -> !rows.get(row).done)
                .toArray();
        if (open.length == 0) {
            return List.of();
        }
        if (open.length >= PACK_BELOW * rows.size()) {
            return rows;
        }
        decoding.keep(open);
        return Arrays.stream(open).mapToObj(rows::get).toList();
    }

    /** An answer that is being written. */
    private static final class Draft {
        private final RandomGenerator random;
        private int[] tokens = new int[64];
        private float[] logProbabilities = new float[64];
        private float[] entropies = new float[64];
        private int length;
        private int drawn;
        private boolean ended;
        private boolean done;

        Draft(RandomGenerator random) {
            this.random = random;
        }

        void add(int token, float logProbability, float entropy, Set<Integer> endTokens, int longest) {
            drawn++;
            if (done) {
                return;
            }
            if (length == tokens.length) {
                tokens = Arrays.copyOf(tokens, 2 * length);
                logProbabilities = Arrays.copyOf(logProbabilities, 2 * length);
                entropies = Arrays.copyOf(entropies, 2 * length);
            }
            tokens[length] = token;
            logProbabilities[length] = logProbability;
            entropies[length] = entropy;
            length++;
            ended = endTokens.contains(token);
            done = ended || length == longest;
        }

        Sample finish() {
            return new Sample(
                    Arrays.copyOf(tokens, length),
                    Arrays.copyOf(logProbabilities, length),
                    Arrays.copyOf(entropies, length),
                    ended);
        }
    }
}
