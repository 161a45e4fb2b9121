package dev.rlvr.trainer.quickstart;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import dev.rlvr.trainer.quickstart.AppleSums.Question;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes the quickstart's problems and tokenizer; every run writes the same bytes. */
public final class QuickstartData {
    private final Path folder;
    private final ObjectMapper json = new ObjectMapper();

    QuickstartData(Path folder) {
        this.folder = folder;
    }

    /** Writes {@code train.jsonl}, {@code test.jsonl} and {@code model/tokenizer*.json} into the folder given as argument. */
    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            System.err.println("usage: QuickstartData FOLDER (in a checkout: examples/quickstart)");
            System.exit(2);
        }
        new QuickstartData(Path.of(args[0])).write();
    }

    void write() throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        writeProblems("train.jsonl", AppleSums.train());
        writeProblems("test.jsonl", AppleSums.test());
        QuickstartTokenizer tokenizer = new QuickstartTokenizer(json);
        writeJson(json, model.resolve("tokenizer.json"), tokenizer.tokenizer());
        writeJson(json, model.resolve("tokenizer_config.json"), tokenizer.config());
        writeJson(json, model.resolve("special_tokens_map.json"), tokenizer.specialTokens());
    }

    private void writeProblems(String name, List<Question> questions) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Question question : questions) {
            JsonNode line = json.createObjectNode()
                    .put("prompt", question.prompt())
                    .put("answer", Integer.toString(question.sum().total()));
            lines.append(json.writeValueAsString(line)).append('\n');
        }
        Files.writeString(folder.resolve(name), lines);
    }

    static void writeJson(ObjectMapper json, Path file, JsonNode value) throws IOException {
        Files.writeString(file, printer(json).writeValueAsString(value) + "\n");
    }

    /** Two spaces and a plain newline on every system. */
    private static ObjectWriter printer(ObjectMapper json) {
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        Separators separators =
                Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER);
        return json.writer(new DefaultPrettyPrinter(separators)
                .withObjectIndenter(indenter)
                .withArrayIndenter(indenter));
    }
}
