package dev.rlvr.trainer.rollout;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * Which rank does what of some work: the longest first, each to the rank that has least so far (Graham's LPT rule). A function of the expected
 * lengths and the number of ranks alone, so that all ranks know all shares; equal lengths are dealt in turn.
 */
public final class Shares {
    private Shares() {}

    private record Load(int rank, double expected) {}

    /**
     * Deals pieces of work.
     *
     * @param expected length of each piece
     * @return the pieces of each rank, in the order that it begins them in
     */
    public static List<List<Integer>> of(double[] expected, int ranks) {
        List<List<Integer>> shares = IntStream.range(0, ranks)
                .<List<Integer>>mapToObj(_ -> new ArrayList<>())
                .toList();
        PriorityQueue<Load> loads =
                new PriorityQueue<>(Comparator.comparingDouble(Load::expected).thenComparingInt(Load::rank));
        IntStream.range(0, ranks).forEach(rank -> loads.add(new Load(rank, 0)));
        IntStream.range(0, expected.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer piece) -> expected[piece])
                        .reversed())
                .forEach(piece -> {
                    Load least = loads.remove();
                    shares.get(least.rank()).add(piece);
                    loads.add(new Load(least.rank(), least.expected() + expected[piece]));
                });
        return shares;
    }
}
