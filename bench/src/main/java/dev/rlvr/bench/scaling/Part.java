package dev.rlvr.bench.scaling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A micro-batch: lines of a prompt and an answer, padded to the longest.
 *
 * @param height lines
 * @param width tokens of the longest
 * @param response tokens of all answers
 */
record Part(int height, int width, long response) {
    long padded() {
        return (long) height * width;
    }

    /**
     * The micro-batches of each rank, as {@code MicroBatch.deal} makes them: the longest answer first, each to the rank with the fewest tokens; then
     * each rank's from the shortest, as many as fit. Answers go alone: those to one prompt share a line only where they are hardly longer than it.
     *
     * @param answers lengths of a mini-batch's answers
     * @param tokens of a micro-batch, padding included
     */
    static List<List<Part>> deal(int[] answers, int prompt, int ranks, int tokens) {
        int[] ascending = Arrays.stream(answers).sorted().toArray();
        long[] dealt = new long[ranks];
        List<List<Integer>> hands = IntStream.range(0, ranks)
                .<List<Integer>>mapToObj(_ -> new ArrayList<>())
                .toList();
        for (int i = ascending.length - 1; i >= 0; i--) {
            int least = 0;
            for (int rank = 1; rank < ranks; rank++) {
                least = dealt[rank] < dealt[least] ? rank : least;
            }
            hands.get(least).addFirst(ascending[i]);
            dealt[least] += prompt + ascending[i];
        }
        return hands.stream().map(hand -> cut(hand, prompt, tokens)).toList();
    }

    private static List<Part> cut(List<Integer> ascending, int prompt, int tokens) {
        List<Part> parts = new ArrayList<>();
        int height = 0;
        int width = 0;
        long response = 0;
        for (int answer : ascending) {
            if (height > 0 && (height + 1L) * (prompt + answer) > tokens) {
                parts.add(new Part(height, width, response));
                height = 0;
                response = 0;
            }
            height++;
            width = prompt + answer;
            response += answer;
        }
        if (height > 0) {
            parts.add(new Part(height, width, response));
        }
        return parts;
    }
}
