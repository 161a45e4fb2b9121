package dev.rlvr.e2e.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * A job and what befalls it, all drawn from a seed.
 *
 * @param pods 2 with 2 ranks each, or 1 with 4
 * @param checkpointEvery steps
 */
record Schedule(long seed, int pods, String sharding, int checkpointEvery, List<Planned> faults) {
    static final int RANKS = 4;

    private static final List<String> SHARDINGS = List.of("None", "Optimizer", "Gradients", "Parameters");
    private static final int LATEST_MILLIS = 6000;

    /**
     * A fault and its moment.
     *
     * @param steps how many further steps the job reports first; 0 for a moment while it starts
     * @param millis further wait: after the attempt's start, or after the step
     * @param withNext whether the next fault strikes the same attempt, shortly after
     */
    record Planned(Fault fault, int steps, int millis, boolean withNext) {
        @Override
        public String toString() {
            String moment = steps == 0 ? "start" : "step +" + steps;
            return "%s@%s+%dms%s".formatted(fault, moment, millis, withNext ? " &" : "");
        }
    }

    static Schedule of(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int pods = random.nextInt(4) == 0 ? 1 : 2;
        List<Fault> kinds = new ArrayList<>(List.of(Fault.values()));
        if (pods == 1) {
            kinds.remove(Fault.CutNetwork);
        }
        List<Planned> faults = new ArrayList<>();
        int count = random.nextInt(1, 5);
        for (int i = 0; i < count; i++) {
            Fault fault = kinds.get(random.nextInt(kinds.size()));
            // there is a newest checkpoint to damage once some steps are done
            int steps = fault.damagesCheckpoint() ? random.nextInt(2, 4) : random.nextInt(4);
            int millis = random.nextInt(steps == 0 ? LATEST_MILLIS : 300);
            faults.add(new Planned(fault, steps, millis, i + 1 < count && random.nextInt(4) == 0));
        }
        return new Schedule(
                seed, pods, SHARDINGS.get(random.nextInt(SHARDINGS.size())), random.nextInt(1, 3), List.copyOf(faults));
    }

    int ranksPerPod() {
        return RANKS / pods;
    }

    @Override
    public String toString() {
        return "%d pods x %d ranks, %s, checkpoint every %d: %s"
                .formatted(
                        pods,
                        ranksPerPod(),
                        sharding,
                        checkpointEvery,
                        faults.stream().map(Planned::toString).collect(Collectors.joining(", ")));
    }
}
