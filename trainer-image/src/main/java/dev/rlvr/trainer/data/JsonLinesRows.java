package dev.rlvr.trainer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.rlvr.trainer.InputException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;

/** One JSON object a line; blank lines count as lines but are no rows. */
final class JsonLinesRows implements Rows {
    /** Numbers keep their digits, so that an answer of 3.10 stays 3.10. */
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    @Override
    public void forEach(Path file, BiConsumer<JsonNode, String> row) {
        try (InputStream bytes = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            long number = 0;
            for (int next = 0; next >= 0; ) {
                next = bytes.read();
                if (next >= 0 && next != '\n') {
                    line.write(next);
                    continue;
                }
                number++;
                accept(line.toByteArray(), file.getFileName() + " line " + number, row);
                line.reset();
            }
        } catch (IOException e) {
            throw new InputException("data file " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static void accept(byte[] bytes, String origin, BiConsumer<JsonNode, String> row) {
        String text = decode(bytes, origin);
        if (text.isBlank()) {
            return;
        }
        JsonNode value = parse(text, origin);
        if (!value.isObject()) {
            throw new InputException(origin + " is " + Fields.kind(value) + "; write one JSON object a line");
        }
        row.accept(value, origin);
    }

    private static String decode(byte[] bytes, String origin) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new InputException(origin + " is not UTF-8; save the file as UTF-8", e);
        }
    }

    private static JsonNode parse(String text, String origin) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            String why = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
            int column = e.getLocation() == null ? 1 : e.getLocation().getColumnNr();
            throw new InputException(
                    origin + " is not JSON (" + why + ", column " + column + "); write one JSON object a line", e);
        }
    }
}
