package dev.rlvr.e2e.chaos;

import java.util.random.RandomGenerator;

/** How fast one attempt goes through its life, drawn from its job's seed. */
final class PlayedAttempt {
    private static final long MILLI = 1_000_000;

    /** By then an operator that works has begun another attempt. */
    private static final long READMISSION_MILLIS = 4_000;

    final int number;
    final Fate fate;
    private final RandomGenerator random;
    private final long seen = System.nanoTime();
    private final long admittedAfter;
    private final long endsAfter;
    private final boolean saves;
    private long runs;
    private long reports;
    private long evicted;
    boolean noted;

    PlayedAttempt(Schedule schedule, int number, Fate fate) {
        this.number = number;
        this.fate = fate;
        this.random = schedule.random(number, 3);
        this.admittedAfter = random.nextLong(800) * MILLI;
        this.endsAfter = (200 + random.nextLong(1500)) * MILLI;
        this.saves = random.nextInt(3) == 0;
    }

    /** Whether the queue lets it run: after a wait, or after a longer one where it took the quota back before. */
    boolean mayBeAdmitted() {
        return evicted == 0
                ? System.nanoTime() - seen > admittedAfter
                : System.nanoTime() - evicted > READMISSION_MILLIS * MILLI;
    }

    /** It waits for quota. Where it ran before, the queue has taken the quota back. */
    void waits(boolean ran) {
        if (ran && evicted == 0) {
            evicted = System.nanoTime();
        }
    }

    boolean evicted() {
        return evicted != 0;
    }

    /** Its pods run from now on. */
    void runs() {
        if (runs == 0) {
            runs = System.nanoTime();
            reports = runs + random.nextLong(400) * MILLI;
        }
    }

    boolean ends() {
        return runs != 0 && System.nanoTime() - runs > endsAfter;
    }

    /** Whether its trainer has something to report. */
    boolean reports() {
        if (runs == 0 || System.nanoTime() < reports) {
            return false;
        }
        reports = System.nanoTime() + (300 + random.nextLong(600)) * MILLI;
        return true;
    }

    /** Whether there is a checkpoint with a report. */
    boolean saves() {
        return saves;
    }
}
