package dev.rlvr.trainer.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Sequences that pass through the model together. A line of the batch is a prompt and one or more responses to it, one after another, padded
 * on the right to the longest line: a prompt that several responses share is computed once. A response sees the prompt and itself, and its
 * positions go on from the prompt's.
 *
 * @param lines rows of one line have the same prompt
 */
public record TokenBatch(List<Line> lines) {
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

    /** Rows with the same prompt, which is computed once. */
    public record Line(List<Row> rows) {
        public Line {
            rows = List.copyOf(rows);
        }

        /** The prompt of all rows. */
        public List<Integer> prompt() {
            return rows.getFirst().prompt();
        }

        /** Tokens of the prompt and all responses. */
        public int length() {
            return prompt().size()
                    + rows.stream().mapToInt(row -> row.response().size()).sum();
        }
    }

    public TokenBatch {
        lines = List.copyOf(lines);
    }

    /** A batch whose sequences share nothing. */
    public static TokenBatch of(List<Row> rows) {
        return new TokenBatch(rows.stream().map(row -> new Line(List.of(row))).toList());
    }

    /** All sequences, line by line; per-token results come in this order. */
    public List<Row> rows() {
        return lines.stream().flatMap(line -> line.rows().stream()).toList();
    }

    /** Number of lines. */
    public int height() {
        return lines.size();
    }

    /** Columns: the length of the longest line. */
    public int width() {
        return lines.stream().mapToInt(Line::length).max().orElse(0);
    }

    /** Tokens that are computed, padding included. */
    public long padded() {
        return (long) height() * width();
    }

    /** Response tokens of all rows. */
    public int responseTokens() {
        return lines.stream()
                .mapToInt(line -> line.length() - line.prompt().size())
                .sum();
    }

    /** Whether a prompt is shared, so that positions and attention do not follow from the columns. */
    boolean isShared() {
        return lines.stream().anyMatch(line -> line.rows().size() > 1);
    }

    /** Token ids {@code [height, width]}, line by line; padding is id 0, which nothing looks at. */
    long[] ids() {
        int width = width();
        long[] ids = new long[height() * width];
        for (int l = 0; l < height(); l++) {
            int at = l * width;
            for (int id : lines.get(l).prompt()) {
                ids[at++] = id;
            }
            for (Row row : lines.get(l).rows()) {
                for (int id : row.response()) {
                    ids[at++] = id;
                }
            }
        }
        return ids;
    }

    /** For each response token, row by row, the flat position {@code line * width + column} whose hidden state predicts it. */
    long[] predictingPositions() {
        int width = width();
        long[] positions = new long[responseTokens()];
        int at = 0;
        for (int l = 0; l < height(); l++) {
            int lastOfPrompt = l * width + lines.get(l).prompt().size() - 1;
            int next = lastOfPrompt + 1;
            for (Row row : lines.get(l).rows()) {
                for (int t = 0; t < row.response().size(); t++) {
                    positions[at++] = t == 0 ? lastOfPrompt : next - 1;
                    next++;
                }
            }
        }
        return positions;
    }

    /** Ids of all response tokens, row by row. */
    long[] targets() {
        return rows().stream()
                .flatMap(row -> row.response().stream())
                .mapToLong(Integer::longValue)
                .toArray();
    }

    /** Position in its own sequence of every cell {@code [height, width]}; padding has position 0. */
    long[] positions() {
        int width = width();
        long[] positions = new long[height() * width];
        for (int l = 0; l < height(); l++) {
            int prompt = lines.get(l).prompt().size();
            int at = l * width;
            for (int t = 0; t < prompt; t++) {
                positions[at++] = t;
            }
            for (Row row : lines.get(l).rows()) {
                for (int t = 0; t < row.response().size(); t++) {
                    positions[at++] = (long) prompt + t;
                }
            }
        }
        return positions;
    }

    /** What is added to attention's scores: 0 where a cell sees another, minus infinity elsewhere, {@code [height, width, width]}. */
    float[] attentionBias() {
        int width = width();
        float[] bias = new float[height() * width * width];
        Arrays.fill(bias, Float.NEGATIVE_INFINITY);
        for (int l = 0; l < height(); l++) {
            List<Integer> starts = starts(lines.get(l), width);
            int prompt = lines.get(l).prompt().size();
            for (int part = 0; part + 1 < starts.size(); part++) {
                for (int cell = starts.get(part); cell < starts.get(part + 1); cell++) {
                    int at = (l * width + cell) * width;
                    Arrays.fill(bias, at, at + Math.min(prompt, cell + 1), 0);
                    Arrays.fill(bias, at + starts.get(part), at + cell + 1, 0);
                }
            }
        }
        return bias;
    }

    /** Columns at which the prompt, the responses and the padding begin, and the width. */
    private static List<Integer> starts(Line line, int width) {
        List<Integer> starts = new ArrayList<>(List.of(0, line.prompt().size()));
        for (Row row : line.rows()) {
            starts.add(starts.getLast() + row.response().size());
        }
        starts.add(width);
        return starts;
    }
}
