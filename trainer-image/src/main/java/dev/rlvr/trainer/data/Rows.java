package dev.rlvr.trainer.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.function.BiConsumer;

/** The rows of a file of one kind. */
sealed interface Rows permits JsonLinesRows, ParquetRows {
    /** Gives each row as an object with the place it stands at: {@code train.jsonl line 12}. */
    void forEach(Path file, BiConsumer<JsonNode, String> row);
}
