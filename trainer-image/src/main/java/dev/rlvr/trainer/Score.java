package dev.rlvr.trainer;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.rollout.TextCodec;
import dev.rlvr.trainer.torch.Torch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Says what a model thinks of given responses: reads lines with {@code prompt} and {@code response}, and writes a line for each with its
 * {@code token_ids} and, in nats over the full vocabulary, {@code logprobs} and {@code entropies}. A line with {@code token_ids}, such as one
 * of a rollout file, is scored as these and not as its text.
 */
public final class Score {
    private static final int FAILED = 1;
    private static final int WRONG_INPUT = 2;

    /** Padded tokens that pass through the model together. */
    private static final int TOKENS_AT_ONCE = 8192;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final ModelFolder folder;
    private final TextCodec codec;
    private final double temperature;

    private Score(ModelFolder folder, TextCodec codec, double temperature) {
        this.folder = folder;
        this.codec = codec;
        this.temperature = temperature;
    }

    /** {@code Score MODEL-FOLDER INPUT.jsonl OUTPUT.jsonl [TEMPERATURE]}; exits with 2 where these are wrong. */
    public static void main(String[] args) {
        System.exit(run(List.of(args), System.err));
    }

    /** Package-private for the test, which must not exit. */
    static int run(List<String> args, PrintStream errors) {
        try {
            if (args.size() < 3 || args.size() > 4) {
                throw new InputException("usage: Score MODEL-FOLDER INPUT.jsonl OUTPUT.jsonl [TEMPERATURE]");
            }
            double temperature = args.size() == 4 ? temperature(args.get(3)) : 1;
            ModelFolder folder = ModelFolder.open(Path.of(args.get(0)));
            try (TextCodec codec = TextCodec.open(folder.tokenizerFile())) {
                Score score = new Score(folder, codec, temperature);
                score.write(score.read(Path.of(args.get(1))), Path.of(args.get(2)));
            }
            return 0;
        } catch (InputException e) {
            errors.println("rlvr: " + e.getMessage());
            return WRONG_INPUT;
        } catch (IOException e) {
            errors.println("rlvr: input or output failed: " + e);
            return FAILED;
        }
    }

    private static double temperature(String text) {
        try {
            double temperature = Double.parseDouble(text);
            if (temperature > 0 && Double.isFinite(temperature)) {
                return temperature;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new InputException("TEMPERATURE: " + text + " is not a number over 0; leave it out for 1.0");
    }

    private List<TokenBatch.Row> read(Path input) throws IOException {
        List<TokenBatch.Row> rows = new ArrayList<>();
        try (BufferedReader lines = Files.newBufferedReader(input)) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (!line.isBlank()) {
                    rows.add(row(line, input.getFileName() + " line " + number));
                }
            }
        } catch (NoSuchFileException e) {
            throw new InputException(input + " does not exist; name a .jsonl file", e);
        } catch (CharacterCodingException e) {
            throw new InputException(input + " is not UTF-8; save it as UTF-8", e);
        }
        if (rows.isEmpty()) {
            throw new InputException(input + " holds no lines; give it at least one with prompt and response");
        }
        return rows;
    }

    private TokenBatch.Row row(String line, String origin) {
        JsonNode json;
        try {
            json = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new InputException(origin + " is not JSON; write one JSON object a line", e);
        }
        List<Integer> prompt = codec.encode(text(json, "prompt", origin));
        List<Integer> response = json.path("token_ids").isArray()
                ? ids(json.path("token_ids"), origin)
                : codec.encodeBare(text(json, "response", origin));
        if (prompt.isEmpty() || response.isEmpty()) {
            throw new InputException(origin + ": the " + (prompt.isEmpty() ? "prompt" : "response")
                    + " makes no token; leave the line out");
        }
        int vocabulary = folder.config().vocabulary();
        int largest = Math.max(Collections.max(prompt), Collections.max(response));
        if (largest >= vocabulary || Collections.min(response) < 0) {
            throw new InputException(origin + ": not all token ids are between 0 and " + (vocabulary - 1)
                    + "; score it with the model that it was written with");
        }
        TokenBatch.Row row = new TokenBatch.Row(prompt, response);
        if (row.length() > folder.config().maxPositions()) {
            throw new InputException(origin + ": it has " + row.length() + " tokens, but the model was made for "
                    + folder.config().maxPositions() + " (max_position_embeddings); shorten it");
        }
        return row;
    }

    private static String text(JsonNode json, String field, String origin) {
        if (!json.path(field).isTextual()) {
            throw new InputException(
                    origin + ": no text in field '" + field + "'; each line needs prompt and response");
        }
        return json.path(field).textValue();
    }

    private static List<Integer> ids(JsonNode array, String origin) {
        List<Integer> ids = new ArrayList<>();
        for (JsonNode id : array) {
            if (!id.isInt()) {
                throw new InputException(origin + ": token_ids holds " + id + "; write integers");
            }
            ids.add(id.intValue());
        }
        return ids;
    }

    private void write(List<TokenBatch.Row> rows, Path output) throws IOException {
        int longest = rows.stream().mapToInt(TokenBatch.Row::length).max().orElseThrow();
        try (OutputStream bytes = open(output);
                JsonGenerator json = new JsonFactory().createGenerator(bytes);
                NDManager owner = Torch.start(Runtime.getRuntime().availableProcessors());
                Decoder decoder = new Decoder(owner, Weights.load(owner, folder), Precision.F32, longest)) {
            json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
            int atOnce = Math.max(1, TOKENS_AT_ONCE / longest);
            for (int from = 0; from < rows.size(); from += atOnce) {
                score(decoder, rows.subList(from, Math.min(from + atOnce, rows.size())), json);
            }
            json.writeRaw('\n');
        }
    }

    private static OutputStream open(Path output) {
        try {
            return Files.newOutputStream(output);
        } catch (IOException e) {
            throw new InputException("cannot write to " + output + "; give a file in a folder that exists", e);
        }
    }

    private void score(Decoder decoder, List<TokenBatch.Row> rows, JsonGenerator json) throws IOException {
        Decoder.Scores scores = decoder.score(new TokenBatch(rows), temperature);
        int at = 0;
        for (TokenBatch.Row row : rows) {
            int end = at + row.response().size();
            json.writeStartObject();
            json.writeFieldName("token_ids");
            int[] ids = row.response().stream().mapToInt(Integer::intValue).toArray();
            json.writeArray(ids, 0, ids.length);
            writeFloats(json, "logprobs", Arrays.copyOfRange(scores.logProbabilities(), at, end));
            writeFloats(json, "entropies", Arrays.copyOfRange(scores.entropies(), at, end));
            json.writeEndObject();
            at = end;
        }
    }

    private static void writeFloats(JsonGenerator json, String name, float[] values) throws IOException {
        json.writeArrayFieldStart(name);
        for (float value : values) {
            json.writeNumber(value);
        }
        json.writeEndArray();
    }
}
