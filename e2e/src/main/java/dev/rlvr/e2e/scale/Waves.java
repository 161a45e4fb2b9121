package dev.rlvr.e2e.scale;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Deletes all jobs in four waves, so that a thing can be done in the first and the last and another in the two between: what gets faster as there
 * is less left counts for both alike.
 *
 * @param names the jobs, those of a kind beside each other: each wave has a quarter of each kind
 * @param all what there is before the first wave
 * @param nothing what there was before the first job
 */
record Waves(Clients clients, Fleet fleet, Waiting waiting, List<String> names, Census all, Census nothing) {
    static final int COUNT = 4;

    /** Deletes the jobs of a wave at once; returns after how many seconds nothing of them is left. */
    double delete(int wave) throws InterruptedException {
        long start = System.nanoTime();
        clients.each(of(wave), fleet::delete);
        if (wave == COUNT - 1) {
            waiting.census(nothing);
        } else {
            waiting.atMost(left(wave));
        }
        return Waiting.seconds(start);
    }

    List<String> of(int wave) {
        return IntStream.range(0, names.size())
                .filter(i -> i % COUNT == wave)
                .mapToObj(names::get)
                .toList();
    }

    /** Objects that there are after it. */
    private long left(int wave) {
        long gone = IntStream.rangeClosed(0, wave).mapToLong(i -> of(i).size()).sum();
        return nothing.total() + Math.ceilDiv((all.total() - nothing.total()) * (names.size() - gone), names.size());
    }
}
