package dev.rlvr.trainer.entropy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.rollout.TextCodec;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The input: lines with {@code id} and either {@code text} or {@code token_ids}, read one at a time. */
final class TextFile {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final int SHOWN_CHARACTERS = 60;

    private final Path file;
    private final ModelConfig config;
    private final Optional<TextCodec> codec;

    /**
     * The lines of a file as a model takes them.
     *
     * @param codec the model's tokenizer, where it has one
     */
    TextFile(Path file, ModelConfig config, Optional<TextCodec> codec) {
        this.file = file;
        this.config = config;
        this.codec = codec;
    }

    /** What a reader of the lines does with each. */
    @FunctionalInterface
    interface Visitor {
        void visit(Text text) throws IOException;
    }

    /**
     * Reads all lines in order; blank ones are passed over.
     *
     * @throws InputException if a line is wrong, with its number
     */
    void forEach(Visitor visitor) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new InputException("--input: " + file
                    + (Files.exists(file) ? " is not a file; save the lines to one" : " does not exist; correct it"));
        }
        int number = 0;
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (!line.isBlank()) {
                    visitor.visit(text(number, line));
                }
            }
        } catch (CharacterCodingException e) {
            throw new InputException(
                    "--input: " + file + " is not UTF-8 after line " + number + "; save it as UTF-8", e);
        }
    }

    private Text text(int number, String line) {
        String origin = file.getFileName() + " line " + number + ": ";
        JsonNode json = parse(origin, line);
        JsonNode id = json.path("id");
        if (!id.isTextual() && !id.isIntegralNumber()) {
            throw new InputException(origin + "id is " + shown(id) + "; give each line a string or an integer");
        }
        List<Integer> tokens =
                json.hasNonNull("token_ids") ? ids(origin, json.path("token_ids")) : encode(origin, json);
        if (tokens.size() > config.maxPositions()) {
            throw new InputException(origin + "it has " + tokens.size() + " tokens, but the model was made for "
                    + config.maxPositions() + " (max_position_embeddings); shorten it");
        }
        return new Text(number, id, tokens);
    }

    private static JsonNode parse(String origin, String line) {
        try {
            JsonNode json = JSON.readTree(line);
            if (json.isObject()) {
                return json;
            }
        } catch (JsonProcessingException e) {
            throw new InputException(origin + "not JSON: " + cut(line.strip()) + "; write one JSON object a line", e);
        }
        throw new InputException(origin + cut(line.strip()) + " is not a JSON object; write one a line");
    }

    private List<Integer> encode(String origin, JsonNode json) {
        JsonNode text = json.path("text");
        if (!text.isTextual()) {
            throw new InputException(origin + "text is " + shown(text) + "; give a string, or token_ids");
        }
        List<Integer> tokens = codec.orElseThrow(() -> new InputException(
                        origin + "text needs a tokenizer, but the model folder has no tokenizer.json; give token_ids"))
                .encode(text.textValue());
        for (int token : tokens) {
            if (token >= config.vocabulary()) {
                throw new InputException(origin + "tokenizer.json makes token " + token
                        + ", but config.json has vocab_size " + config.vocabulary()
                        + "; take both from the same model");
            }
        }
        return tokens;
    }

    private List<Integer> ids(String origin, JsonNode array) {
        if (!array.isArray()) {
            throw new InputException(origin + "token_ids is " + shown(array) + "; give an array of integers");
        }
        List<Integer> ids = new ArrayList<>(array.size());
        for (JsonNode id : array) {
            if (!id.isInt() || id.intValue() < 0 || id.intValue() >= config.vocabulary()) {
                throw new InputException(origin + "token_ids holds " + shown(id)
                        + "; this model's are the integers 0 to " + (config.vocabulary() - 1));
            }
            ids.add(id.intValue());
        }
        return ids;
    }

    private static String shown(JsonNode value) {
        return value instanceof MissingNode ? "missing" : cut(value.toString());
    }

    private static String cut(String text) {
        return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS) + "...";
    }
}
