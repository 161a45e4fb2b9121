package dev.rlvr.bench.scaling;

/**
 * How ranks share the work.
 *
 * @param samplers ranks of a node that hold one copy of the weights together while they sample, each a slice of every matrix (tensor parallel)
 * @param pagedCache whether rows are as many as fit at their mean length; else each is counted at the longest, as {@code MemoryPlan} does, beside a
 *     second copy of the weights
 * @param dealing which answers fall to which rank
 * @param hierarchicalExchange whether gradients are summed within a node before they leave it
 * @param sharedReport whether each rank decodes and writes its own answers, beside the update
 */
public record Design(
        int samplers, boolean pagedCache, Dealing dealing, boolean hierarchicalExchange, boolean sharedReport) {
    /** What the code does. */
    public static final Design TODAY = new Design(1, false, Dealing.BY_EXPECTED_LENGTH, false, false);

    /** What {@code docs/scaling.md} proposes. */
    public static final Design PROPOSED = new Design(1, true, Dealing.BY_EXPECTED_LENGTH, true, true);

    /** The same with so many ranks to a copy. */
    public Design samplingTogether(int ranks) {
        return new Design(ranks, pagedCache, dealing, hierarchicalExchange, sharedReport);
    }
}
