package dev.rlvr.bench.scaling;

import dev.rlvr.trainer.model.MemoryNeed;
import dev.rlvr.trainer.model.Retention;
import java.util.List;
import java.util.Optional;

/** What fits beside weights, gradients and optimizer, counted as {@code MemoryPlan} and {@code RecomputationPlan} do ({@code recomputation: Auto}). */
record Memory(Job job, Hardware hardware, Design design, int sharing) {
    /** The process itself. */
    private static final double RUNTIME = 800 << 20;

    /** Rows that are sampled together, at most. */
    private static final int ROWS = 512;

    /**
     * What passes keep.
     *
     * @param scored whether each pass goes forward once only to be scored, since not all can be kept until the threshold is known
     * @param again whether backward computes layers again
     */
    record Kept(boolean scored, boolean again) {
        /** Times that a pass goes through the layers. */
        int sweeps() {
            return scored ? 3 : 2;
        }
    }

    private MemoryNeed need() {
        return new MemoryNeed(job.model(), job.precision());
    }

    /** Bytes that the state leaves. */
    double left() {
        return hardware.memory() - RUNTIME - need().state(job.sharding(), sharing);
    }

    /** Answers that the ranks of one copy write at a time; 0 where not even one fits. */
    int rows() {
        MemoryNeed need = need();
        int samplers = design.samplers();
        double room = left() * samplers - need.gathered(job.sharding()) - need.head();
        if (design.pagedCache()) {
            double mean = Math.min(job.lengths().mean(), job.lengths().longest());
            return (int) Math.clamp(room / (need.cache() * (job.promptTokens() + mean)), 0, ROWS);
        }
        double longest = need.answer(job.promptTokens() + (long) job.lengths().longest());
        return (int) Math.clamp((room - need.packedWeights()) / longest, 0, ROWS);
    }

    /** What does not fit, if something does not. */
    Optional<String> missing(long largest) {
        if (left() <= 0) {
            return Optional.of("weights, gradients and moments do not fit");
        }
        if (rows() == 0) {
            return Optional.of("no answer fits beside the weights");
        }
        return fits(Retention.INPUTS, largest, largest) ? Optional.empty() : Optional.of("a pass does not fit");
    }

    private boolean fits(Retention retention, long tokens, long largest) {
        MemoryNeed need = need();
        return (double) need.kept(retention) * tokens + (double) need.workspace(retention) * largest + need.head()
                <= left();
    }

    /** What fits the fullest rank. */
    Kept kept(List<List<Part>> hands) {
        long most = hands.stream()
                .mapToLong(hand -> hand.stream().mapToLong(Part::padded).sum())
                .max()
                .orElse(0);
        long largest = hands.stream()
                .flatMap(List::stream)
                .mapToLong(Part::padded)
                .max()
                .orElse(0);
        if (fits(Retention.ACTIVATIONS, most, largest)) {
            return new Kept(false, false);
        }
        if (fits(Retention.INPUTS, most, largest)) {
            return new Kept(false, true);
        }
        return new Kept(true, !fits(Retention.ACTIVATIONS, largest, largest));
    }
}
