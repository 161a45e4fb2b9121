package dev.rlvr.trainer.entropy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.model.TinyModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EntropyTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int VOCABULARY = 51;

    @TempDir
    Path folder;

    private Path model;
    private Path input;
    private Path output;
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    @BeforeEach
    void write() throws IOException {
        model = TinyModel.write(folder.resolve("model"), Family.LLAMA);
        input = folder.resolve("in.jsonl");
        output = folder.resolve("out.jsonl");
    }

    private int run(String... more) {
        errors.reset();
        List<String> arguments = new ArrayList<>(
                List.of("--model", model.toString(), "--input", input.toString(), "--output", output.toString()));
        arguments.addAll(List.of(more));
        return Entropy.run(new PrintStream(errors, true, StandardCharsets.UTF_8), arguments.toArray(String[]::new));
    }

    private String said() {
        return errors.toString(StandardCharsets.UTF_8);
    }

    private List<JsonNode> scored(String lines, String... more) throws IOException {
        Files.writeString(input, lines);
        assertThat(run(more)).as(said()).isZero();
        List<JsonNode> rows = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            rows.add(JSON.readTree(line));
        }
        return rows;
    }

    @Test
    void eachLineGetsItsTokensWithLogProbabilitiesAndEntropies() throws IOException {
        List<JsonNode> rows = scored("""
                {"id":"words","text":"1+2=3"}
                {"id":7,"token_ids":[1,7,3]}

                {"id":"both","text":"1+2=3","token_ids":[1,7]}
                {"id":"one","token_ids":[4]}
                {"id":"none","text":""}
                """);

        assertThat(rows.stream().map(row -> row.path("id").toString()))
                .containsExactly("\"words\"", "7", "\"both\"", "\"one\"", "\"none\"");
        assertThat(rows.stream().map(row -> row.path("token_ids").size())).containsExactly(5, 3, 2, 1, 0);
        assertThat(rows.get(1).path("token_ids").toString()).isEqualTo("[1,7,3]");
        for (JsonNode row : rows) {
            int tokens = row.path("token_ids").size();
            for (String figure : List.of("logprobs", "entropies")) {
                assertThat(row.path(figure)).hasSize(tokens);
                for (int i = 0; i < tokens; i++) {
                    assertThat(row.path(figure).path(i).isNull())
                            .as("nothing is known of the first, %s", row)
                            .isEqualTo(i == 0);
                }
            }
            for (int i = 1; i < tokens; i++) {
                assertThat(row.path("logprobs").path(i).doubleValue()).isNegative();
                assertThat(row.path("entropies").path(i).doubleValue())
                        .isPositive()
                        .isLessThan(Math.log(VOCABULARY) + 1e-4);
            }
        }
    }

    @Test
    void probabilitiesOfAllTokensAddUpToOneAndGiveTheEntropy() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int token = 0; token < VOCABULARY; token++) {
            lines.append("{\"id\":0,\"token_ids\":[5,9,%d]}\n".formatted(token));
        }
        for (String temperature : new String[] {"1.0", "0.5"}) {
            List<JsonNode> rows = scored(lines.toString(), "--temperature", temperature);

            double sum = 0;
            double entropy = 0;
            for (JsonNode row : rows) {
                double log = row.path("logprobs").path(2).doubleValue();
                sum += Math.exp(log);
                entropy -= Math.exp(log) * log;
            }
            assertThat(sum).isCloseTo(1, within(1e-4));
            assertThat(rows.getFirst().path("entropies").path(2).doubleValue()).isCloseTo(entropy, within(1e-4));
        }
    }

    @Test
    void theOrderAndTheFiguresDoNotDependOnWhatElseIsInTheFile() throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            String ids = random.ints(random.nextInt(1, 60), 0, VOCABULARY)
                    .mapToObj(Integer::toString)
                    .collect(Collectors.joining(","));
            lines.add("{\"id\":%d,\"token_ids\":[%s]}\n".formatted(i, ids));
        }

        List<JsonNode> all = scored(String.join("", lines));
        for (int i : new int[] {0, 199, 399}) {
            JsonNode alone = scored(lines.get(i)).getFirst();
            JsonNode among = all.get(i);
            assertThat(among.path("id").intValue()).isEqualTo(i);
            assertThat(among.path("token_ids")).isEqualTo(alone.path("token_ids"));
            for (int t = 1; t < alone.path("token_ids").size(); t++) {
                assertThat(among.path("entropies").path(t).doubleValue())
                        .isCloseTo(alone.path("entropies").path(t).doubleValue(), within(1e-5));
                // of about -10, with a few roundings of F32
                assertThat(among.path("logprobs").path(t).doubleValue())
                        .isCloseTo(alone.path("logprobs").path(t).doubleValue(), within(5e-5));
            }
        }
    }

    @Test
    void aFolderWithoutATokenizerWorksWithTokenIds() throws IOException {
        Files.delete(model.resolve("tokenizer.json"));

        assertThat(scored("{\"id\":\"a\",\"token_ids\":[1,2]}")).hasSize(1);
        Files.writeString(input, "{\"id\":\"a\",\"text\":\"1\"}");
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("in.jsonl line 1: text needs a tokenizer", "give token_ids");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"id\":\"1\"                          | in.jsonl line 2: not JSON: {\"id\":\"1\"",
                "{\"id\":1,\"text\":\"1\"} x            | in.jsonl line 2: not JSON",
                "[]                                     | in.jsonl line 2: [] is not a JSON object",
                "{\"text\":\"1\"}                       | in.jsonl line 2: id is missing",
                "{\"id\":null,\"text\":\"1\"}           | in.jsonl line 2: id is null",
                "{\"id\":1.5,\"text\":\"1\"}            | in.jsonl line 2: id is 1.5",
                "{\"id\":\"1\"}                         | in.jsonl line 2: text is missing",
                "{\"id\":\"1\",\"text\":3}              | in.jsonl line 2: text is 3",
                "{\"id\":\"1\",\"token_ids\":3}         | in.jsonl line 2: token_ids is 3",
                "{\"id\":\"1\",\"token_ids\":[0,51]}    | in.jsonl line 2: token_ids holds 51; this model's are the integers 0 to 50",
                "{\"id\":\"1\",\"token_ids\":[-1]}      | in.jsonl line 2: token_ids holds -1",
                "{\"id\":\"1\",\"token_ids\":[1.5]}     | in.jsonl line 2: token_ids holds 1.5"
            })
    void aLineThatIsWrongIsNamedAndNothingIsWritten(String line, String message) throws IOException {
        Files.writeString(input, "{\"id\":0,\"text\":\"1\"}\n" + line);
        Files.writeString(output, "of yesterday");

        assertThat(run()).isEqualTo(2);

        assertThat(said()).contains(message, "; ").hasLineCount(1);
        assertThat(output).hasContent("of yesterday");
        assertThat(folder.resolve("out.jsonl.partial")).doesNotExist();
    }

    @Test
    void aTextThatIsTooLongIsNamed() throws IOException {
        Files.writeString(input, "{\"id\":0,\"text\":\"%s\"}".formatted("2".repeat(65)));

        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("line 1: it has 65 tokens", "64");
    }

    @Test
    void anOlderOutputIsReplacedWhenAllIsDone() throws IOException {
        Files.writeString(output, "of yesterday");

        assertThat(scored("{\"id\":0,\"text\":\"12\"}")).hasSize(1);
        assertThat(folder.resolve("out.jsonl.partial")).doesNotExist();
    }

    @Test
    void figuresThatAreNoNumbersAreNotWritten() throws IOException {
        Files.writeString(input, "{\"id\":0,\"text\":\"12\"}");

        assertThat(run("--temperature", "1e-42")).isEqualTo(1);
        assertThat(said()).contains("numbers that are none for line 1");
        assertThat(output).doesNotExist();
    }

    @Test
    void inBF16TheFiguresAreAboutTheSame() throws IOException {
        String lines = "{\"id\":0,\"token_ids\":[5,9,30,2,44]}";
        JsonNode exact = scored(lines).getFirst();
        JsonNode rough = scored(lines, "--precision", "BF16").getFirst();

        assertThat(rough.path("entropies")).isNotEqualTo(exact.path("entropies"));
        for (int i = 1; i < 5; i++) {
            assertThat(rough.path("entropies").path(i).doubleValue())
                    .isCloseTo(exact.path("entropies").path(i).doubleValue(), within(0.2));
        }
    }

    @Test
    void optionsThatAreWrongAreTold() throws IOException {
        Files.writeString(input, "{\"id\":0,\"text\":\"1\"}");
        for (String temperature : new String[] {"0", "-1", "NaN", "Infinity"}) {
            assertThat(run("--temperature", temperature)).isEqualTo(2);
            assertThat(said()).contains("--temperature: ");
        }
        assertThat(run("--threads", "0")).isEqualTo(2);

        output = folder.resolve("none/out.jsonl");
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("cannot write to");
        output = folder;
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("is a folder");
        output = input;
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("is the input");

        output = folder.resolve("out.jsonl");
        Files.writeString(input, "\n\n");
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("holds no lines");
        Files.write(input, new byte[] {'{', (byte) 0xff});
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("is not UTF-8");
        input = folder.resolve("none.jsonl");
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("none.jsonl does not exist");
        input = folder;
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("is not a file");
        model = folder.resolve("none");
        assertThat(run()).isEqualTo(2);
        assertThat(said()).contains("there is no folder").doesNotContain("spec.");
    }
}
