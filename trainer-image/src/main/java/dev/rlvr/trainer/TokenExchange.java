package dev.rlvr.trainer;

import dev.rlvr.crds.AlgorithmSpec.ForkingTokens;
import dev.rlvr.trainer.PolicyUpdate.Item;
import dev.rlvr.trainer.collectives.Collectives;
import dev.rlvr.trainer.objective.ForkingTokenMask;
import dev.rlvr.trainer.objective.RatioStatistics;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * Figures of the tokens of a mini-batch that several ranks share. They are put into the order of the mini-batch, so that what is selected among
 * them does not depend on who computed which.
 */
final class TokenExchange {
    private final Collectives group;
    private final List<Item> miniBatch;
    private final List<List<MicroBatch>> hands;
    private final ForkingTokens settings;
    private final IdentityHashMap<Item, Integer> offsets = new IdentityHashMap<>();
    private final int tokens;

    TokenExchange(Collectives group, List<Item> miniBatch, List<List<MicroBatch>> hands, ForkingTokens settings) {
        this.group = group;
        this.miniBatch = miniBatch;
        this.hands = hands;
        this.settings = settings;
        int at = 0;
        for (Item item : miniBatch) {
            offsets.put(item, at);
            at += item.sample().length();
        }
        this.tokens = at;
    }

    /**
     * One figure for each token of the mini-batch, in its order.
     *
     * @param mine the figures of each of this rank's micro-batches
     */
    float[] inOrder(List<float[]> mine) {
        return ordered(group.gather(MicroBatch.concatenate(mine)));
    }

    private float[] ordered(List<float[]> ofRank) {
        float[] all = new float[tokens];
        for (int rank = 0; rank < hands.size(); rank++) {
            int at = 0;
            for (MicroBatch part : hands.get(rank)) {
                for (Item item : part.items()) {
                    int length = item.sample().length();
                    System.arraycopy(ofRank.get(rank), at, all, offsets.get(item), length);
                    at += length;
                }
            }
        }
        return all;
    }

    /** Hands a mask over the mini-batch to its items and to this rank's micro-batches. */
    void mark(List<MicroBatch> mine, ForkingTokenMask mask) {
        for (Item item : miniBatch) {
            System.arraycopy(mask.kept(), offsets.get(item), item.kept(), 0, item.kept().length);
        }
        for (MicroBatch part : mine) {
            part.mark(ForkingTokenMask.join(
                    part.items().stream()
                            .map(item -> mask.slice(
                                    offsets.get(item),
                                    offsets.get(item) + item.sample().length()))
                            .toList(),
                    settings));
        }
    }

    /** The masks that all ranks have taken of their own micro-batches as one; its flags are also handed to the items. */
    ForkingTokenMask joined(List<MicroBatch> mine) {
        ForkingTokenMask own =
                ForkingTokenMask.join(mine.stream().map(MicroBatch::mask).toList(), settings);
        List<float[]> flags = group.gather(flags(own.kept()));
        List<float[]> thresholds = group.gather(new float[] {(float) own.threshold()});
        float[] ordered = ordered(flags);
        for (Item item : miniBatch) {
            for (int i = 0; i < item.kept().length; i++) {
                item.kept()[i] = ordered[offsets.get(item) + i] != 0;
            }
        }
        List<ForkingTokenMask> masks = new ArrayList<>();
        for (int rank = 0; rank < hands.size(); rank++) {
            masks.add(ForkingTokenMask.of(flags.get(rank), thresholds.get(rank)[0]));
        }
        return ForkingTokenMask.join(masks, settings);
    }

    private static float[] flags(boolean[] kept) {
        float[] flags = new float[kept.length];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = kept[i] ? 1 : 0;
        }
        return flags;
    }

    /** The sum of all ranks' statistics. */
    RatioStatistics sum(RatioStatistics mine) {
        double[] sums = group.sum(
                (double) mine.tokens(),
                (double) mine.clippedLow(),
                (double) mine.clippedHigh(),
                mine.kl(),
                mine.difference(),
                mine.entropy());
        return new RatioStatistics(
                Math.round(sums[0]), Math.round(sums[1]), Math.round(sums[2]), sums[3], sums[4], sums[5]);
    }
}
