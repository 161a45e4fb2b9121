package dev.rlvr.trainer.entropy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * One line of the input.
 *
 * @param line its number, from 1
 * @param id what the user calls it: a JSON string or integer
 * @param tokens its token ids, all of them in the model's vocabulary
 */
record Text(int line, JsonNode id, List<Integer> tokens) {
    Text {
        tokens = List.copyOf(tokens);
    }

    int length() {
        return tokens.size();
    }
}
