package dev.rlvr.trainer;

import dev.rlvr.trainer.PolicyUpdate.Item;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.TokenBatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Puts answers to the same prompt behind one copy of it, where that is less work: the prompt's tokens are then computed once, but attention runs
 * over the whole pack, also between answers that do not see each other.
 *
 * @param attentionShare work of one query-key pair, relative to that of a token in all products of a layer
 * @param most tokens of a pack
 */
record SharedPrompts(double attentionShare, int most) {
    /** Attention's work per pair takes about this many times as long as that of products. */
    private static final double ATTENTION_SLOWNESS = 3;

    /** So many can be dealt evenly. */
    private static final int PACKS_PER_RANK = 4;

    /** Longer packs would make the attention's bias, a square per pack, large. */
    private static final int LONGEST = 2048;

    /** Answers behind one prompt. */
    record Pack(List<Item> items) {
        Pack {
            items = List.copyOf(items);
        }

        int length() {
            return items.getFirst().prompt().size()
                    + items.stream().mapToInt(item -> item.sample().length()).sum();
        }

        TokenBatch.Line line() {
            return new TokenBatch.Line(items.stream().map(Item::row).toList());
        }
    }

    static SharedPrompts of(ModelConfig config, int microBatchTokens) {
        double queries = (double) config.heads() * config.headDim();
        double keys = (double) config.kvHeads() * config.headDim();
        double products = config.hidden() * (2 * queries + 2 * keys + 3.0 * config.intermediate());
        return new SharedPrompts(ATTENTION_SLOWNESS * 2 * queries / products, Math.min(LONGEST, microBatchTokens));
    }

    /**
     * Packs of all items; items of one group have the same prompt object.
     *
     * @param ranks that the packs are for: they are made small enough for each to have some
     */
    List<Pack> pack(List<Item> items, int ranks) {
        int most = ranks == 1 ? items.size() : Math.max(1, items.size() / (PACKS_PER_RANK * ranks));
        IdentityHashMap<List<Integer>, List<Item>> groups = new IdentityHashMap<>();
        List<List<Item>> ordered = new ArrayList<>();
        for (Item item : items) {
            groups.computeIfAbsent(item.prompt(), prompt -> {
                        List<Item> group = new ArrayList<>();
                        ordered.add(group);
                        return group;
                    })
                    .add(item);
        }
        return ordered.stream().flatMap(group -> best(group, most).stream()).toList();
    }

    private List<Pack> best(List<Item> group, int mostAnswers) {
        List<Item> sorted = group.stream()
                .sorted(Comparator.comparingInt(item -> item.sample().length()))
                .toList();
        int size = Math.min(
                mostAnswers,
                size(
                        group.getFirst().prompt().size(),
                        sorted.stream().mapToInt(item -> item.sample().length()).toArray()));
        List<Pack> packs = new ArrayList<>();
        for (int from = 0; from < sorted.size(); from += size) {
            packs.add(new Pack(sorted.subList(from, Math.min(from + size, sorted.size()))));
        }
        return packs;
    }

    /**
     * Answers per pack, of 1, 2, 4, ..., that are the least work.
     *
     * @param prompt tokens of the prompt
     * @param answers tokens of each answer, ascending
     */
    int size(int prompt, int[] answers) {
        int best = 1;
        double least = Double.POSITIVE_INFINITY;
        for (int size = 1; size < 2 * answers.length; size *= 2) {
            double work = 0;
            int longest = 0;
            for (int from = 0; from < answers.length; from += size) {
                int length = prompt
                        + IntStream.range(from, Math.min(from + size, answers.length))
                                .map(i -> answers[i])
                                .sum();
                // alone, a causal sequence has half of all pairs
                work += length * (1 + attentionShare * (size == 1 ? length / 2.0 : length));
                longest = Math.max(longest, length);
            }
            if (work < least && (size == 1 || longest <= most)) {
                least = work;
                best = size;
            }
        }
        return best;
    }
}
