package dev.rlvr.bench.scaling;

import dev.rlvr.trainer.rollout.Shares;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Which answers of a batch fall to which rank. */
public enum Dealing {
    /** Prompt p to rank p modulo their number, whatever its answers' lengths. */
    PROMPTS_IN_TURN {
        @Override
        List<List<Integer>> shares(Lengths.Batch batch, int ranks) {
            int each = each(batch);
            return IntStream.range(0, ranks)
                    .mapToObj(rank -> IntStream.range(0, batch.answers().length)
                            .filter(i -> i / each % ranks == rank)
                            .boxed()
                            .toList())
                    .toList();
        }
    },

    /** What the trainer does while it knows nothing: in the first epoch. */
    ANSWERS_IN_TURN {
        @Override
        List<List<Integer>> shares(Lengths.Batch batch, int ranks) {
            double[] alike = new double[batch.answers().length];
            Arrays.fill(alike, 1);
            return Shares.of(alike, ranks);
        }
    },

    /** What it does once it has seen a problem: by the mean length of the answers that were sampled to it before. */
    BY_EXPECTED_LENGTH {
        @Override
        List<List<Integer>> shares(Lengths.Batch batch, int ranks) {
            int each = each(batch);
            return Shares.of(
                    IntStream.range(0, batch.answers().length)
                            .mapToDouble(i -> batch.before()[i / each])
                            .toArray(),
                    ranks);
        }
    },

    /** As if lengths were known beforehand: what then still waits does so because an answer cannot be split. */
    BY_LENGTH {
        @Override
        List<List<Integer>> shares(Lengths.Batch batch, int ranks) {
            return Shares.of(Arrays.stream(batch.answers()).asDoubleStream().toArray(), ranks);
        }
    };

    abstract List<List<Integer>> shares(Lengths.Batch batch, int ranks);

    /** Lengths of each rank's answers, in the order that it begins them in. */
    List<int[]> deal(Lengths.Batch batch, int ranks) {
        return shares(batch, ranks).stream()
                .map(share -> share.stream().mapToInt(i -> batch.answers()[i]).toArray())
                .toList();
    }

    private static int each(Lengths.Batch batch) {
        return batch.answers().length / batch.before().length;
    }
}
