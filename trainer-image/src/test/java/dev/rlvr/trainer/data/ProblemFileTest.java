package dev.rlvr.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.jerolba.carpet.CarpetWriter;
import dev.rlvr.crds.DataSpec;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProblemFileTest {
    @TempDir
    Path folder;

    record Flat(String prompt, long answer) {}

    record Message(String role, String content) {}

    record RewardModel(String ground_truth, String style) {}

    record VerlRow(List<Message> prompt, RewardModel reward_model) {}

    @Test
    void eachLineIsAProblemAndBlankLinesAreNone() throws IOException {
        Path file = write("{\"prompt\":\"2+2?\",\"answer\":\"4\"}\n\n  \r\n{\"prompt\":\"Größe?\",\"answer\":\"ö\"}");

        assertThat(ProblemFile.read(file, fields("prompt", "answer")))
                .containsExactly(
                        new Problem(0, "2+2?", "4", "train.jsonl line 1"),
                        new Problem(1, "Größe?", "ö", "train.jsonl line 4"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "42 | 42",
                "42.0 | 42",
                "1e3 | 1000",
                "-0.0 | 0",
                "3.50 | 3.50",
                "0.1 | 0.1",
                "true | true",
                "\"42.0\" | 42.0",
                "12345678901234567890 | 12345678901234567890",
                "1e-7 | 1E-7"
            })
    void anAnswerBecomesTheTextOfItsValue(String json, String text) throws IOException {
        Path file = write("{\"prompt\":\"p\",\"answer\":" + json + "}");

        assertThat(ProblemFile.read(file, fields("prompt", "answer")))
                .extracting(Problem::answer)
                .containsExactly(text);
    }

    @Test
    void dotsReachIntoObjectsAndAKeyWithDotsWins() throws IOException {
        Path file = write("""
                {"q":{"text":"first"},"meta":{"a.b":{"answer":"1"}}}
                {"q":{"text":"nested"},"q.text":"second","meta.a":{"b":{"answer":2}}}
                """);

        assertThat(ProblemFile.read(file, fields("q.text", "meta.a.b.answer")))
                .extracting(Problem::prompt, Problem::answer)
                .containsExactly(tuple("first", "1"), tuple("second", "2"));
    }

    @Test
    void theTemplateSurroundsThePrompt() throws IOException {
        Path file = write("{\"prompt\":\"2+2?\",\"answer\":4}");
        DataSpec spec = new DataSpec("file:///x.jsonl", null, "prompt", "answer", "User: {prompt}\nAssistant:", 64, 0);

        assertThat(ProblemFile.read(file, spec).getFirst().prompt()).isEqualTo("User: 2+2?\nAssistant:");
    }

    @Test
    void aChatOfOneUserMessageIsAPrompt() throws IOException {
        Path file = write("{\"prompt\":[{\"role\":\"user\",\"content\":\"2+2?\"}],\"answer\":4}");

        assertThat(ProblemFile.read(file, fields("prompt", "answer")).getFirst().prompt())
                .isEqualTo("2+2?");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"prompt\":\"p\",\"answer\":1 | line 2 is not JSON | one JSON object a line",
                "{\"prompt\":\"p\"} {} | line 2 is not JSON | one JSON object a line",
                "[1] | line 2 is an array | one JSON object a line",
                "{\"question\":\"p\",\"meta\":{\"a\":1}} | line 2: no field 'prompt' | there are question, meta.a;",
                "{} | line 2: no field 'prompt' | there are none",
                "{\"prompt\":\"p\",\"gold\":1} | line 2: no field 'answer' | set spec.data.answerField",
                "{\"prompt\":7,\"answer\":1} | line 2: field 'prompt' is a number | must be a string",
                "{\"prompt\":\"p\",\"answer\":null} | line 2: field 'answer' is null | every problem needs one",
                "{\"prompt\":\"p\",\"answer\":[1]} | line 2: field 'answer' is an array | must be a string",
                "{\"prompt\":\" \",\"answer\":1} | line 2: field 'prompt' is blank | needs a prompt",
                "{\"prompt\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"}],\"answer\":1}"
                        + " | chat of [system, user] | one message with the role user",
            })
    void aWrongLineIsNamedWithItsRemedy(String line, String what, String remedy) throws IOException {
        Path file = write("{\"prompt\":\"p\",\"answer\":1}\n" + line + "\n");

        assertThatThrownBy(() -> ProblemFile.read(file, fields("prompt", "answer")))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("train.jsonl line 2")
                .hasMessageContaining(what)
                .hasMessageContaining(remedy)
                .message()
                .hasLineCount(1);
    }

    @Test
    void aLineThatIsNotUtf8IsNamed() throws IOException {
        Path file = folder.resolve("train.jsonl");
        Files.write(file, "{\"prompt\":\"ü\",\"answer\":1}".getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> ProblemFile.read(file, fields("prompt", "answer")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("line 1 is not UTF-8");
    }

    @Test
    void aFileThatIsMissingEmptyOrOfAnotherKindIsTheUsersMistake() throws IOException {
        DataSpec spec = fields("prompt", "answer");
        assertInput(folder.resolve("none.jsonl"), spec, "none.jsonl does not exist");
        assertInput(folder, spec, "is a folder");
        assertInput(write("\n\n"), spec, "holds no problems");
        Path csv = Files.writeString(folder.resolve("train.csv"), "prompt,answer\n");
        assertInput(csv, spec, ".jsonl or .parquet");
        Path torn = Files.writeString(folder.resolve("torn.parquet"), "PAR1 torn");
        assertInput(torn, spec, "is not readable Parquet");
    }

    @Test
    void parquetRowsAreProblems() throws IOException {
        Path file = folder.resolve("train.parquet");
        try (var writer = new CarpetWriter<>(Files.newOutputStream(file), Flat.class)) {
            writer.write(List.of(new Flat("1+1?", 2), new Flat("2+2?", 4)));
        }

        assertThat(ProblemFile.read(file, fields("prompt", "answer")))
                .containsExactly(
                        new Problem(0, "1+1?", "2", "train.parquet row 1"),
                        new Problem(1, "2+2?", "4", "train.parquet row 2"));
        assertInput(file, fields("prompt", "gold"), "row 1: no field 'gold'; there are prompt, answer");
    }

    @Test
    void verlsParquetIsReadAsItIs() throws IOException {
        Path file = folder.resolve("dapo.parquet");
        try (var writer = new CarpetWriter<>(Files.newOutputStream(file), VerlRow.class)) {
            writer.write(new VerlRow(List.of(new Message("user", "2+2?")), new RewardModel("4", "rule")));
        }

        assertThat(ProblemFile.read(file, fields("prompt", "reward_model.ground_truth")))
                .containsExactly(new Problem(0, "2+2?", "4", "dapo.parquet row 1"));
    }

    private static void assertInput(Path file, DataSpec spec, String message) {
        assertThatThrownBy(() -> ProblemFile.read(file, spec))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(message);
    }

    private Path write(String lines) throws IOException {
        return Files.writeString(folder.resolve("train.jsonl"), lines);
    }

    private static DataSpec fields(String prompt, String answer) {
        return new DataSpec("file:///train.jsonl", null, prompt, answer, "{prompt}", 64, 0);
    }
}
