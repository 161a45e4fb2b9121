package dev.rlvr.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import dev.rlvr.crds.DataSpec;
import dev.rlvr.trainer.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Reads a file of problems: {@code .jsonl} with one object a line, or {@code .parquet} with one problem a row. */
public final class ProblemFile {
    private static final String PLACE = "{prompt}";

    private final DataSpec data;
    private final List<Problem> problems = new ArrayList<>();

    private ProblemFile(DataSpec data) {
        this.data = data;
    }

    /**
     * All problems of the file, in its order.
     *
     * @throws InputException if the file is missing, empty or malformed, or a problem lacks a field; the message names
     *     the line or row
     */
    public static List<Problem> read(Path file, DataSpec data) {
        if (!Files.isRegularFile(file)) {
            String what = Files.isDirectory(file) ? " is a folder; name a .jsonl or .parquet file" : " does not exist";
            throw new InputException("data file " + file + what);
        }
        ProblemFile reading = new ProblemFile(data);
        rows(file).forEach(file, reading::add);
        if (reading.problems.isEmpty()) {
            throw new InputException("data file " + file + " holds no problems; give it at least one");
        }
        return List.copyOf(reading.problems);
    }

    private static Rows rows(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".jsonl")) {
            return new JsonLinesRows();
        }
        if (name.endsWith(".parquet")) {
            return new ParquetRows();
        }
        throw new InputException("data file " + file + " is of no known kind; its name must end in .jsonl or .parquet");
    }

    private void add(JsonNode row, String origin) {
        String prompt = prompt(field(row, data.promptField(), "spec.data.promptField", origin), origin);
        String answer = answer(field(row, data.answerField(), "spec.data.answerField", origin), origin);
        if (prompt.isBlank()) {
            throw new InputException(
                    origin + ": field '" + data.promptField() + "' is blank; a problem needs a prompt");
        }
        problems.add(new Problem(problems.size(), data.promptTemplate().replace(PLACE, prompt), answer, origin));
    }

    private static JsonNode field(JsonNode row, String name, String setting, String origin) {
        Optional<JsonNode> found = Fields.find(row, name);
        if (found.isEmpty()) {
            throw new InputException(origin + ": no field '" + name + "'; there are " + Fields.names(row) + "; set "
                    + setting + " to one of them");
        }
        if (found.get().isNull()) {
            throw new InputException(origin + ": field '" + name + "' is null; every problem needs one");
        }
        return found.get();
    }

    private String prompt(JsonNode value, String origin) {
        if (value.isTextual()) {
            return value.textValue();
        }
        if (value.isArray()) {
            return userMessage(value, origin);
        }
        throw new InputException(origin + ": field '" + data.promptField() + "' is " + Fields.kind(value)
                + "; a prompt must be a string or a chat with one user message");
    }

    private String userMessage(JsonNode chat, String origin) {
        JsonNode content = chat.path(0).path("content");
        boolean user = chat.path(0).path("role").asText().equals("user");
        if (chat.size() != 1 || !user || !content.isTextual()) {
            List<String> roles = new ArrayList<>();
            chat.forEach(message -> roles.add(message.path("role").asText("no role")));
            throw new InputException(origin + ": field '" + data.promptField() + "' is a chat of " + roles
                    + "; a chat must be one message with the role user and its content as a string");
        }
        return content.textValue();
    }

    private String answer(JsonNode value, String origin) {
        if (value.isContainerNode()) {
            throw new InputException(origin + ": field '" + data.answerField() + "' is " + Fields.kind(value)
                    + "; an answer must be a string, a number or a boolean");
        }
        return value.isNumber() ? Fields.number(value) : value.asText();
    }
}
