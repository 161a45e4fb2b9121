package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecodingTest {
    private static final double TEMPERATURE = 0.7;
    private static final List<List<Integer>> PROMPTS = List.of(
            List.of(5, 6, 7, 8, 9), List.of(3), List.of(11, 12, 13), List.of(2, 4, 6, 8, 10, 12, 14, 16, 18, 20));

    private NDManager owner;
    private final SplittableRandom random = new SplittableRandom(2);

    @BeforeEach
    void start() {
        owner = Torch.start(1);
    }

    @AfterEach
    void stop() {
        owner.close();
    }

    /** An answer and what was said of its tokens when they were drawn. */
    private record Answer(int prompt, List<Integer> tokens, List<Float> logProbabilities, List<Float> entropies) {
        Answer(int prompt) {
            this(prompt, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }

        void add(Decoding.Drawn drawn, int row) {
            for (int at = row * drawn.columns(); at < (row + 1) * drawn.columns(); at++) {
                tokens.add((int) drawn.tokens()[at]);
                logProbabilities.add(drawn.logProbabilities()[at]);
                entropies.add(drawn.entropies()[at]);
            }
        }
    }

    private double[] uniforms(int count) {
        return random.doubles(count).toArray();
    }

    private void begin(Decoding decoding, PromptCache cache, List<Answer> answers, int... prompts) {
        int from = decoding.rows();
        int longest = Arrays.stream(prompts)
                .map(prompt -> PROMPTS.get(prompt).size())
                .max()
                .orElseThrow();
        decoding.add(prompts.length, longest);
        // the first alone, then the others: a cohort's prompts need not be read together
        for (int[] part : List.of(Arrays.copyOf(prompts, 1), Arrays.copyOfRange(prompts, 1, prompts.length))) {
            Decoding.Drawn drawn = decoding.start(from, cache, part, uniforms(part.length));
            for (int i = 0; i < part.length; i++) {
                Answer answer = new Answer(part[i]);
                answer.add(drawn, i);
                answers.add(answer);
            }
            from += part.length;
        }
    }

    private void advance(Decoding decoding, List<Answer> answers, int columns) {
        Decoding.Drawn drawn = decoding.advance(columns, uniforms(answers.size() * columns));
        for (int row = 0; row < answers.size(); row++) {
            answers.get(row).add(drawn, row);
        }
    }

    private static List<Answer> leave(Decoding decoding, List<Answer> answers, Answer... done) {
        boolean[] open = new boolean[answers.size()];
        for (int row = 0; row < open.length; row++) {
            open[row] = !List.of(done).contains(answers.get(row));
        }
        List<Answer> kept = new ArrayList<>();
        for (int row : decoding.pack(open)) {
            kept.add(answers.get(row));
        }
        return kept;
    }

    /** Cohorts begin and end at different times, rows leave them, and caches are widened. */
    private List<Answer> write(Decoder decoder) {
        List<Answer> written = new ArrayList<>();
        try (PromptCache cache = decoder.read(owner, PROMPTS);
                Decoding decoding = decoder.decode(owner, 8, 200, new Drawing(TEMPERATURE, 1, 0))) {
            List<Answer> rows = new ArrayList<>();
            begin(decoding, cache, rows, 0, 0, 1, 2, 2);
            written.addAll(rows);
            advance(decoding, rows, 7);
            begin(decoding, cache, rows, 3, 2, 1);
            written.addAll(rows.subList(5, 8));
            for (int round = 0; round < 12; round++) {
                advance(decoding, rows, 6);
            }
            rows = leave(decoding, rows, rows.get(1), rows.get(3), rows.get(6));
            assertThat(rows)
                    .containsExactly(written.get(0), written.get(2), written.get(4), written.get(5), written.get(7));
            begin(decoding, cache, rows, 1, 3);
            written.addAll(rows.subList(5, 7));
            advance(decoding, rows, 30);
            rows = leave(decoding, rows, rows.get(3), rows.get(4));
            assertThat(rows).hasSize(5);
            advance(decoding, rows, 11);
        }
        return written;
    }

    @Test
    void aFewFinishedRowsStayUntilACopyPays() {
        ModelConfig config = TinyModel.config(ModelConfig.Family.LLAMA);
        try (Decoder decoder = new Decoder(owner, Weights.random(owner, config, 0.3, random), Precision.F32, 64);
                PromptCache cache = decoder.read(owner, PROMPTS);
                Decoding decoding = decoder.decode(owner, 5, 60, new Drawing(1, 1, 0))) {
            begin(decoding, cache, new ArrayList<>(), 0, 0, 0, 1, 1);

            assertThat(decoding.pack(new boolean[] {true, true, false, true, true}))
                    .containsExactly(0, 1, 2, 3, 4);
            assertThat(decoding.pack(new boolean[] {true, true, false, false, true}))
                    .containsExactly(0, 1, 4);
            assertThat(decoding.rows()).isEqualTo(3);
            assertThat(decoding.pack(new boolean[3])).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"LLAMA,F32", "QWEN2,F32", "QWEN3,F32", "LLAMA,BF16", "QWEN2,BF16", "QWEN3,BF16"})
    void whatTheSamplerSaysOfItsTokensIsWhatTheTrainerSays(ModelConfig.Family family, Precision precision) {
        ModelConfig config = new ModelConfig(
                family,
                41,
                32,
                48,
                2,
                4,
                2,
                8,
                1e-6,
                10_000,
                256,
                family != ModelConfig.Family.LLAMA,
                family == ModelConfig.Family.QWEN2,
                List.of(1));
        Weights weights = Weights.random(owner, config, 0.3, new SplittableRandom(1));
        try (Decoder decoder = new Decoder(owner, weights, precision, 256);
                Decoder exact = new Decoder(owner, weights, Precision.F32, 256)) {
            double difference = 0;
            double rounding = 0;
            int count = 0;
            for (Answer answer : write(decoder)) {
                TokenBatch.Row row = new TokenBatch.Row(PROMPTS.get(answer.prompt()), answer.tokens());
                Decoder.Scores scores = decoder.score(TokenBatch.of(List.of(row)), TEMPERATURE);
                Decoder.Scores truth = exact.score(TokenBatch.of(List.of(row)), TEMPERATURE);
                for (int t = 0; t < answer.tokens().size(); t++, count++) {
                    float logProbability = answer.logProbabilities().get(t);
                    rounding += Math.abs(truth.logProbabilities()[t] - scores.logProbabilities()[t]);
                    difference += Math.abs(logProbability - scores.logProbabilities()[t]);
                    if (precision == Precision.F32) {
                        assertThat(logProbability).isCloseTo(scores.logProbabilities()[t], within(1e-4f));
                        assertThat(answer.entropies().get(t)).isCloseTo(scores.entropies()[t], within(1e-4f));
                    }
                }
            }
            assertThat(count).isGreaterThan(500);
            // two ways to round in BF16 differ by no more than either does from the truth
            assertThat(difference).isLessThan(precision == Precision.F32 ? 1e-5 * count : 1.2 * rounding);
        }
    }

    @ParameterizedTest
    @CsvSource({"41", "64", "90", "4096"})
    void everyTokenIsDrawnWhereItsShareOfTheNumbersLies(int vocabulary) {
        ModelConfig config = new ModelConfig(
                ModelConfig.Family.LLAMA, vocabulary, 16, 16, 1, 2, 2, 8, 1e-6, 10_000, 64, true, false, List.of());
        Weights weights = Weights.random(owner, config, 0.5, new SplittableRandom(7));
        int draws = 2000;
        double[] uniforms =
                IntStream.range(0, draws).mapToDouble(i -> (i + 0.5) / draws).toArray();
        try (Decoder decoder = new Decoder(owner, weights, Precision.F32, 64);
                PromptCache cache = decoder.read(owner, List.of(List.of(3)));
                Decoding decoding = decoder.decode(owner, draws, 60, new Drawing(1, 1, 0))) {
            decoding.add(draws, 1);
            long[] tokens = decoding.start(0, cache, new int[draws], uniforms).tokens();
            double[] reaches = new double[vocabulary];
            double mass = 0;
            for (int token = 0; token < vocabulary; token++) {
                TokenBatch.Row row = new TokenBatch.Row(List.of(3), List.of(token));
                mass += Math.exp(decoder.score(TokenBatch.of(List.of(row)), 1).logProbabilities()[0]);
                reaches[token] = mass;
            }
            for (int i = 0; i < draws; i++) {
                int token = Math.toIntExact(tokens[i]);
                assertThat(reaches[token]).isGreaterThan(uniforms[i] - 1e-5);
                assertThat(token == 0 ? 0 : reaches[token - 1]).isLessThan(uniforms[i] + 1e-5);
            }
        }
    }
}
