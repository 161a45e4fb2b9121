package dev.rlvr.e2e.scale;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Deletes all jobs in nine waves. The first has most to look through and none beside it. The others are two times four: in the two in the middle of
 * the four there is no operator, and the wave before and the wave after them tell what it costs, since what gets
 * faster as there is less left counts for both alike. Twice, because waves differ by more than that.
 */
final class Waves {
    static final int COUNT = 9;
    static final List<Integer> WITH = List.of(0, 1, 4, 5, 8);
    static final List<Integer> WITHOUT = List.of(2, 3, 6, 7);
    static final List<Integer> BESIDE = List.of(1, 4, 5, 8);

    private final Clients clients;
    private final Fleet fleet;
    private final Waiting waiting;
    private final List<String> names;
    private final Census all;
    private final Census nothing;
    private final double[] seconds = new double[COUNT];

    /**
     * Of these jobs.
     *
     * @param names those of a kind beside each other: each wave has a ninth of each kind
     * @param all what there is before the first wave
     * @param nothing what there was before the first job
     */
    Waves(Clients clients, Fleet fleet, Waiting waiting, List<String> names, Census all, Census nothing) {
        this.clients = clients;
        this.fleet = fleet;
        this.waiting = waiting;
        this.names = names;
        this.all = all;
        this.nothing = nothing;
    }

    /** Deletes the jobs of a wave at once, until nothing of them is left. */
    void delete(int wave) throws InterruptedException {
        long start = System.nanoTime();
        clients.each(of(wave), fleet::delete);
        if (wave == COUNT - 1) {
            waiting.census(nothing);
        } else {
            waiting.atMost(left(wave));
        }
        seconds[wave] = Waiting.seconds(start);
    }

    private List<String> of(int wave) {
        return IntStream.range(0, names.size())
                .filter(i -> i % COUNT == wave)
                .mapToObj(names::get)
                .toList();
    }

    /** Jobs that are left before it. */
    private int jobsBefore(int wave) {
        return IntStream.range(wave, COUNT).map(later -> of(later).size()).sum();
    }

    /** Objects that there are after it at most: a job may have one more or less than others. */
    private long left(int wave) {
        return nothing.total()
                + Math.ceilDiv((all.total() - nothing.total()) * (jobsBefore(wave + 1) + 1), names.size());
    }

    /** Jobs a second, in these waves together. */
    double rate(List<Integer> waves) {
        return waves.stream().mapToInt(wave -> of(wave).size()).sum()
                / waves.stream().mapToDouble(wave -> seconds[wave]).sum();
    }

    /** How long each took. */
    double[] seconds() {
        return seconds.clone();
    }
}
