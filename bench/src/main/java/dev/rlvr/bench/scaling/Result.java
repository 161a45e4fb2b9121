package dev.rlvr.bench.scaling;

import java.util.List;

/**
 * Where the seconds of a step go; all but {@code hidden} add up to it.
 *
 * @param sample mean over the ranks
 * @param update mean over the ranks: passes and the optimizer
 * @param imbalance time that ranks wait for the slowest, in both
 * @param exposed transfers between ranks that nothing goes on beside
 * @param hidden transfers that go on beside computing
 * @param verify wait for the last verdict
 * @param host what is done for each token of the whole batch on one thread
 * @param checkpoint stall, spread over the steps
 * @param tokens of all answers
 * @param rows answers that the ranks of one copy of the weights write at a time, at most
 * @param passes per gradient step of the rank that has most
 * @param missing what does not fit into memory; the other figures then mean nothing
 * @param limits what else stands in the way
 */
public record Result(
        int ranks,
        double sample,
        double update,
        double imbalance,
        double exposed,
        double hidden,
        double verify,
        double host,
        double checkpoint,
        double tokens,
        int rows,
        int passes,
        List<String> missing,
        List<String> limits) {
    public Result {
        missing = List.copyOf(missing);
        limits = List.copyOf(limits);
    }

    /** Seconds of a step. */
    public double step() {
        return sample + update + imbalance + exposed + verify + host + checkpoint;
    }

    /** Response tokens per second of all ranks. */
    public double tokensPerSecond() {
        return tokens / step();
    }

    /** Share of the step that ranks compute for, on average. */
    public double efficiency() {
        return (sample + update) / step();
    }
}
