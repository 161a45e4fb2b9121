package dev.rlvr.bench.scaling;

/**
 * Seconds of transfers between {@code n} ranks, {@code g} of them in a node, of tensors that are {@code S} bytes when whole. {@code u} is the rate
 * within a node, {@code v} that of one rank to other nodes, {@code a} the latency.
 */
record Links(Hardware hardware, Design design, int ranks) {
    private int near() {
        return Math.min(ranks, hardware.ranksPerNode());
    }

    private int nodes() {
        return Math.ceilDiv(ranks, hardware.ranksPerNode());
    }

    /** Shares put together in a ring of all ranks: {@code (n - 1) / n S / min(u, g v) + (n - 1) a} for each of {@code transfers}. */
    double gather(double bytes, int transfers) {
        if (ranks == 1) {
            return 0;
        }
        double out = hardware.ranksPerNode() * hardware.betweenNodes();
        double rate = nodes() == 1 ? hardware.withinNode() : Math.min(hardware.withinNode(), out);
        return bytes * (ranks - 1) / ranks / rate + transfers * (ranks - 1.0) * hardware.latency();
    }

    /**
     * Shares exchanged by each with each, then summed: {@code max((g - 1) / n S / u, (n - g) / n S / v)}, where every rank's own link carries what
     * its neighbours also send. Hierarchical: {@code (g - 1) / g S / u} first, and {@code 1 / g} of the bytes leave the node.
     */
    double exchange(double bytes, int transfers) {
        if (ranks == 1) {
            return 0;
        }
        double sum = bytes / hardware.memoryBandwidth();
        if (design.hierarchicalExchange() && nodes() > 1) {
            double inside = bytes * (near() - 1) / near() / hardware.withinNode();
            double outside = bytes / near() * (nodes() - 1) / nodes() / hardware.betweenNodes();
            return inside + outside + sum + transfers * (near() + nodes() - 2.0) * hardware.latency();
        }
        double inside = bytes * (near() - 1) / ranks / hardware.withinNode();
        double outside = bytes * (ranks - near()) / ranks / hardware.betweenNodes();
        return Math.max(inside, outside) + sum + transfers * (ranks - 1.0) * hardware.latency();
    }

    /** Sums of shares over ranks of as many nodes, and what they send back: {@code (m - 1) / m S / v + (m - 1) a} each, over one link per rank. */
    double between(Traffic traffic, int transfers) {
        int copies = traffic.copies();
        double bytes = traffic.summed() + traffic.spread();
        return copies == 1
                ? 0
                : bytes * (copies - 1) / copies / hardware.betweenNodes()
                        + traffic.summed() / hardware.memoryBandwidth()
                        + 2 * transfers * (copies - 1.0) * hardware.latency();
    }

    /** What the hosts tell each other, padded to the longest: {@code (n - 1) / n S / v + 2 (n - 1) a} a round, over one link per rank. */
    double tell(double bytes, double rounds) {
        return ranks == 1
                ? 0
                : bytes * (ranks - 1) / ranks / hardware.betweenNodes()
                        + rounds * 2 * (ranks - 1.0) * hardware.latency();
    }
}
