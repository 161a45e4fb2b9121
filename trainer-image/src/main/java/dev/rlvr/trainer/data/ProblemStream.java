package dev.rlvr.trainer.data;

import java.util.ArrayList;
import java.util.List;

/**
 * An endless stream of problems, epoch after epoch. What it gives is a function of (seed, position): a checkpoint stores
 * the position alone.
 */
public final class ProblemStream {
    private final List<Problem> problems;
    private final PromptOrder order;
    private long epoch = -1;
    private int[] shuffled = {};

    /** A stream over at least one problem. */
    public ProblemStream(List<Problem> problems, long shuffleSeed) {
        if (problems.isEmpty()) {
            throw new IllegalArgumentException("a stream needs a problem");
        }
        this.problems = List.copyOf(problems);
        this.order = new PromptOrder(shuffleSeed, problems.size());
    }

    /** The {@code n} problems after the first {@code position} ones. */
    public List<Problem> take(long position, int n) {
        List<Problem> taken = new ArrayList<>(n);
        for (long at = position; at < position + n; at++) {
            taken.add(at(at));
        }
        return List.copyOf(taken);
    }

    private Problem at(long position) {
        long wanted = position / problems.size();
        if (wanted != epoch) {
            shuffled = order.epoch(wanted);
            epoch = wanted;
        }
        return problems.get(shuffled[(int) (position % problems.size())]);
    }
}
