package dev.rlvr.bench.scaling;

/**
 * What one rank computes and sends with. Rates are per second, sizes in bytes.
 *
 * @param name for people
 * @param ranksPerNode ranks that share a node
 * @param flops highest rate of matrix products in the job's precision
 * @param utilisation share of it that passes over whole sequences reach
 * @param memory for tensors of one rank
 * @param memoryBandwidth reached when reading and writing it
 * @param withinNode from one rank to others of its node, each way
 * @param betweenNodes from one rank to other nodes, each way; each rank has as much
 * @param latency seconds of one message
 * @param launch seconds that beginning a layer's work takes, per column that is sampled
 * @param overlap share of communication that can go on beside computing: 0 where it needs the same processors
 * @param hostCopy from a rank's tensors to memory that a checkpoint is written from
 * @param disk of all ranks together
 * @param host what the host does for each token
 */
public record Hardware(
        String name,
        int ranksPerNode,
        double flops,
        double utilisation,
        double memory,
        double memoryBandwidth,
        double withinNode,
        double betweenNodes,
        double latency,
        double launch,
        double overlap,
        double hostCopy,
        double disk,
        HostWork host) {
    /**
     * Work on the host for each response token of the whole batch, on one thread.
     *
     * @param everyRank seconds: text of the answers, selection of forking tokens
     * @param firstRank seconds: the file of rollouts, which rank 0 writes before the next step begins
     */
    public record HostWork(double everyRank, double firstRank) {}

    /**
     * An eight-GPU node like DGX H100, of figures that its maker publishes, times assumed shares: 989 TFLOP/s in BF16 without sparsity, of which
     * training reaches 0.35 (torchtitan: 0.33 to 0.39 for Llama 3.1 8B on eight); 80 GB at 3.35 TB/s, of which 0.6; NVLink 450 GB/s each way and
     * one 400 Gb/s adapter per GPU, of which 0.8 each; PCIe 5.0 x16, of which 25 GB/s. Assumed without a source: 10 us a message, 30 us a layer and
     * column, 10 GB/s of one shared volume.
     */
    public static Hardware h100(HostWork host) {
        return new Hardware(
                "H100-like",
                8,
                989e12,
                0.35,
                80e9,
                0.6 * 3.35e12,
                0.8 * 450e9,
                0.8 * 50e9,
                10e-6,
                30e-6,
                1,
                25e9,
                10e9,
                host);
    }

    /** The same with another share of the highest rate. */
    public Hardware withUtilisation(double share) {
        return new Hardware(
                name,
                ranksPerNode,
                flops,
                share,
                memory,
                memoryBandwidth,
                withinNode,
                betweenNodes,
                latency,
                launch,
                overlap,
                hostCopy,
                disk,
                host);
    }

    /** The same with all links so many times as fast. */
    public Hardware withLinks(double times) {
        return new Hardware(
                name,
                ranksPerNode,
                flops,
                utilisation,
                memory,
                memoryBandwidth,
                times * withinNode,
                times * betweenNodes,
                latency / times,
                launch,
                overlap,
                hostCopy,
                disk,
                host);
    }

    /** Seconds of so many floating-point operations of passes over whole sequences. */
    double seconds(double operations) {
        return operations / (flops * utilisation);
    }
}
