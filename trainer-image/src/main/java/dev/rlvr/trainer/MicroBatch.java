package dev.rlvr.trainer;

import dev.rlvr.crds.AlgorithmSpec;
import dev.rlvr.trainer.PolicyUpdate.Item;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.objective.ForkingTokenMask;
import dev.rlvr.trainer.objective.RatioStatistics;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Answers that pass through the model together; all arrays have one entry per response token, row by row. */
final class MicroBatch {
    private final List<Item> items;
    private final TokenBatch tokens;
    private float[] logProbabilities = {};
    private float[] entropies = {};
    private ForkingTokenMask mask = ForkingTokenMask.NONE;

    private MicroBatch(List<SharedPrompts.Pack> packs) {
        this.items = packs.stream().flatMap(pack -> pack.items().stream()).toList();
        this.tokens =
                new TokenBatch(packs.stream().map(SharedPrompts.Pack::line).toList());
    }

    /**
     * Deals packs to ranks, so that each has about as many tokens, and cuts each rank's share.
     *
     * @return for each rank its micro-batches; perhaps none
     */
    static List<List<MicroBatch>> deal(List<SharedPrompts.Pack> packs, int ranks, int tokens) {
        List<List<SharedPrompts.Pack>> hands = new ArrayList<>();
        long[] dealt = new long[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            hands.add(new ArrayList<>());
        }
        // the longest first, each to whoever has least: at most a third above the best possible
        List<SharedPrompts.Pack> longestFirst = packs.stream()
                .sorted(Comparator.comparingInt(SharedPrompts.Pack::length).reversed())
                .toList();
        for (SharedPrompts.Pack pack : ranks == 1 ? packs : longestFirst) {
            int least = 0;
            for (int rank = 1; rank < ranks; rank++) {
                least = dealt[rank] < dealt[least] ? rank : least;
            }
            hands.get(least).add(pack);
            dealt[least] += pack.length();
        }
        return hands.stream().map(hand -> cut(hand, tokens)).toList();
    }

    /** Packs of like length together, as many as fit: little padding. */
    private static List<MicroBatch> cut(List<SharedPrompts.Pack> packs, int tokens) {
        List<SharedPrompts.Pack> sorted = packs.stream()
                .sorted(Comparator.comparingInt(SharedPrompts.Pack::length))
                .toList();
        List<MicroBatch> parts = new ArrayList<>();
        List<SharedPrompts.Pack> open = new ArrayList<>();
        for (SharedPrompts.Pack pack : sorted) {
            if (!open.isEmpty() && (long) (open.size() + 1) * pack.length() > tokens) {
                parts.add(new MicroBatch(open));
                open = new ArrayList<>();
            }
            open.add(pack);
        }
        if (!open.isEmpty()) {
            parts.add(new MicroBatch(open));
        }
        return parts;
    }

    List<Item> items() {
        return items;
    }

    TokenBatch tokens() {
        return tokens;
    }

    int size() {
        return tokens.responseTokens();
    }

    int[] lengths() {
        return items.stream().mapToInt(item -> item.sample().length()).toArray();
    }

    void take(Decoder.Scores scores) {
        logProbabilities = scores.logProbabilities();
        entropies = scores.entropies();
    }

    void mark(ForkingTokenMask selected) {
        mask = selected;
        int at = 0;
        for (Item item : items) {
            System.arraycopy(selected.kept(), at, item.kept(), 0, item.kept().length);
            at += item.kept().length;
        }
    }

    ForkingTokenMask mask() {
        return mask;
    }

    /** Of the current policy. */
    float[] logProbabilities() {
        return logProbabilities;
    }

    /** Of the current policy. */
    float[] entropies() {
        return entropies;
    }

    /** Of the policy that sampled. */
    float[] rolloutEntropies() {
        return concatenate(items.stream().map(item -> item.sample().entropies()).toList());
    }

    float[] oldLogProbabilities() {
        return concatenate(items.stream().map(Item::old).toList());
    }

    /** What each token's loss is scaled by: the loss is linear in its advantage, so a weight times the advantage weighs the loss. */
    float[] weightedAdvantages() {
        return concatenate(items.stream()
                .map(item -> {
                    float[] weighted = item.weights().clone();
                    for (int i = 0; i < weighted.length; i++) {
                        weighted[i] *= (float) item.advantage();
                    }
                    return weighted;
                })
                .toList());
    }

    RatioStatistics statistics(AlgorithmSpec.Clip clip) {
        return RatioStatistics.of(logProbabilities, oldLogProbabilities(), weightedAdvantages(), entropies, clip);
    }

    static float[] concatenate(List<float[]> parts) {
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
