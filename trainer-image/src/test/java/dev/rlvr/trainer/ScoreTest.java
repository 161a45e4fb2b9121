package dev.rlvr.trainer;

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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScoreTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private Path model;
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    @BeforeEach
    void write() throws IOException {
        model = TinyModel.write(folder.resolve("model"), Family.LLAMA);
    }

    private int score(String... arguments) {
        errors.reset();
        return Score.run(List.of(arguments), new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    private String said() {
        return errors.toString(StandardCharsets.UTF_8);
    }

    private List<JsonNode> scored(String lines, String... temperature) throws IOException {
        Path input = Files.writeString(folder.resolve("in.jsonl"), lines);
        Path output = folder.resolve("out.jsonl");
        List<String> arguments = new ArrayList<>(List.of(model.toString(), input.toString(), output.toString()));
        arguments.addAll(List.of(temperature));
        assertThat(score(arguments.toArray(String[]::new))).as(said()).isZero();
        List<JsonNode> rows = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            rows.add(JSON.readTree(line));
        }
        return rows;
    }

    @Test
    void eachLineGetsItsTokensWithLogProbabilitiesAndEntropies() throws IOException {
        List<JsonNode> rows = scored("""
                {"prompt":"How many apples?\\n","response":"1+2=3"}
                {"prompt":"4","response":"5"}

                {"prompt":"How many apples?\\n","response":"1+2=3","token_ids":[1,7]}
                """);

        assertThat(rows).hasSize(3);
        for (JsonNode row : rows) {
            int tokens = row.path("token_ids").size();
            assertThat(row.path("logprobs")).hasSize(tokens).allMatch(value -> value.doubleValue() < 0);
            assertThat(row.path("entropies"))
                    .hasSize(tokens)
                    .allMatch(value -> value.doubleValue() > 0 && value.doubleValue() < Math.log(51) + 1e-4);
        }
        assertThat(rows.get(0).path("token_ids")).hasSize(5);
        assertThat(rows.get(1).path("token_ids")).hasSize(1);
        assertThat(rows.get(2).path("token_ids").toString()).isEqualTo("[1,7]");
    }

    @Test
    void probabilitiesOfAllTokensAddUpToOneAndGiveTheEntropy() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int token = 0; token < 51; token++) {
            lines.append("{\"prompt\":\"How many \",\"token_ids\":[")
                    .append(token)
                    .append("]}\n");
        }
        for (String temperature : new String[] {"1.0", "0.5"}) {
            List<JsonNode> rows = scored(lines.toString(), temperature);

            double sum = 0;
            double entropy = 0;
            for (JsonNode row : rows) {
                double log = row.path("logprobs").path(0).doubleValue();
                sum += Math.exp(log);
                entropy -= Math.exp(log) * log;
            }
            assertThat(sum).isCloseTo(1, within(1e-4));
            assertThat(rows.getFirst().path("entropies").path(0).doubleValue()).isCloseTo(entropy, within(1e-4));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"prompt\":\"1\"                            | in.jsonl line 2 is not JSON",
                "{\"prompt\":\"1\"}                           | in.jsonl line 2: no text in field 'response'",
                "{\"response\":\"1\"}                         | in.jsonl line 2: no text in field 'prompt'",
                "[]                                           | in.jsonl line 2: no text in field 'prompt'",
                "{\"prompt\":\"1\",\"response\":\"\"}         | in.jsonl line 2: the response makes no token",
                "{\"prompt\":\"1\",\"token_ids\":[51]}        | in.jsonl line 2: not all token ids are between 0 and 50",
                "{\"prompt\":\"1\",\"token_ids\":[-1]}        | in.jsonl line 2: not all token ids are between 0 and 50",
                "{\"prompt\":\"1\",\"token_ids\":[1.5]}       | in.jsonl line 2: token_ids holds 1.5"
            })
    void aLineThatIsWrongIsNamed(String line, String message) throws IOException {
        Path input = Files.writeString(folder.resolve("in.jsonl"), "{\"prompt\":\"1\",\"response\":\"1\"}\n" + line);
        Path output = folder.resolve("out.jsonl");

        assertThat(score(model.toString(), input.toString(), output.toString())).isEqualTo(2);

        assertThat(said()).contains(message, "; ").hasLineCount(1);
        assertThat(output).doesNotExist();
    }

    @Test
    void aSequenceThatIsTooLongIsNamed() throws IOException {
        Path input = Files.writeString(
                folder.resolve("in.jsonl"), "{\"prompt\":\"1\",\"response\":\"" + "2".repeat(64) + "\"}");

        assertThat(score(
                        model.toString(),
                        input.toString(),
                        folder.resolve("out").toString()))
                .isEqualTo(2);
        assertThat(said()).contains("line 1: it has 65 tokens", "64");
    }

    @Test
    void argumentsThatAreWrongAreTold() throws IOException {
        Path input = Files.writeString(folder.resolve("in.jsonl"), "{\"prompt\":\"1\",\"response\":\"1\"}");
        Path empty = Files.writeString(folder.resolve("empty.jsonl"), "\n");
        String in = input.toString();
        String out = folder.resolve("out.jsonl").toString();

        assertThat(score()).isEqualTo(2);
        assertThat(said()).contains("usage: Score MODEL-FOLDER INPUT.jsonl OUTPUT.jsonl [TEMPERATURE]");
        assertThat(score(folder.resolve("none").toString(), in, out)).isEqualTo(2);
        assertThat(said()).contains("there is no folder").doesNotContain("spec.");
        assertThat(score(model.toString(), folder.resolve("none.jsonl").toString(), out))
                .isEqualTo(2);
        assertThat(said()).contains("none.jsonl does not exist");
        assertThat(score(model.toString(), empty.toString(), out)).isEqualTo(2);
        assertThat(said()).contains("empty.jsonl holds no lines");
        assertThat(score(model.toString(), in, folder.resolve("none/out.jsonl").toString()))
                .isEqualTo(2);
        assertThat(said()).contains("cannot write to");
        for (String temperature : new String[] {"0", "-1", "NaN", "Infinity", "hot"}) {
            assertThat(score(model.toString(), in, out, temperature)).isEqualTo(2);
            assertThat(said()).contains("TEMPERATURE: " + temperature);
        }
    }
}
