package dev.rlvr.trainer.model;

import java.util.List;

/**
 * Sequences that pass through the model together: prompt and response ids, padded on the right to the longest.
 *
 * @param rows the sequences; neither part of a row is empty
 */
public record TokenBatch(List<Row> rows) {
    /** One sequence: {@code prompt} is read, {@code response} is what the loss and the entropies are about. */
    public record Row(List<Integer> prompt, List<Integer> response) {
        public Row {
            if (prompt.isEmpty() || response.isEmpty()) {
                throw new IllegalArgumentException("a prompt and a response have at least one token each");
            }
        }

        /** Tokens of prompt and response. */
        public int length() {
            return prompt.size() + response.size();
        }
    }

    public TokenBatch {
        rows = List.copyOf(rows);
    }

    /** Columns: the length of the longest row. */
    public int width() {
        return rows.stream().mapToInt(Row::length).max().orElse(0);
    }

    /** Tokens that are computed, padding included. */
    public long padded() {
        return (long) rows.size() * width();
    }

    /** Response tokens of all rows. */
    public int responseTokens() {
        return rows.stream().mapToInt(row -> row.response().size()).sum();
    }

    /** Token ids {@code [rows, width]}, row by row; padding is id 0, which nothing looks at. */
    long[] ids() {
        int width = width();
        long[] ids = new long[rows.size() * width];
        for (int r = 0; r < rows.size(); r++) {
            int at = r * width;
            for (int id : rows.get(r).prompt()) {
                ids[at++] = id;
            }
            for (int id : rows.get(r).response()) {
                ids[at++] = id;
            }
        }
        return ids;
    }

    /** For each response token, row by row, the flat position {@code row * width + column} whose hidden state predicts it. */
    long[] predictingPositions() {
        int width = width();
        long[] positions = new long[responseTokens()];
        int at = 0;
        for (int r = 0; r < rows.size(); r++) {
            int first = r * width + rows.get(r).prompt().size() - 1;
            for (int t = 0; t < rows.get(r).response().size(); t++) {
                positions[at++] = (long) first + t;
            }
        }
        return positions;
    }

    /** Ids of all response tokens, row by row. */
    long[] targets() {
        return rows.stream()
                .flatMap(row -> row.response().stream())
                .mapToLong(Integer::longValue)
                .toArray();
    }
}
