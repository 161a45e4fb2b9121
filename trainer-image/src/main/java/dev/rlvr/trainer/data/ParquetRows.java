package dev.rlvr.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.jerolba.carpet.CarpetReader;
import com.jerolba.carpet.CloseableIterator;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BiConsumer;

/** The rows of a Parquet file, with nested columns as nested objects. */
final class ParquetRows implements Rows {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    @SuppressWarnings("rawtypes") // Carpet reads rows of any schema as the raw class Map
    public void forEach(Path file, BiConsumer<JsonNode, String> row) {
        try (CloseableIterator<Map> rows = new CarpetReader<>(file.toFile(), Map.class).iterator()) {
            for (long number = 1; rows.hasNext(); number++) {
                row.accept(JSON.valueToTree(rows.next()), file.getFileName() + " row " + number);
            }
        } catch (InputException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("unreadable");
            throw new InputException("data file " + file + " is not readable Parquet: " + why, e);
        }
    }
}
