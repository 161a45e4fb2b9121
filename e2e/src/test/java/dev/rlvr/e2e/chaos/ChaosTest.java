package dev.rlvr.e2e.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.e2e.ApiServer;
import dev.rlvr.e2e.RealApiServer;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Random schedules, a few of them here and as many as asked for by {@code e2e/chaos/run.sh}: docs/chaos.md. */
@RealApiServer
class ChaosTest {
    private static final int SCHEDULES = Integer.getInteger("chaos.schedules", 12);
    private static final long SEED = Long.getLong("chaos.seed", 1);
    private static final int AT_ONCE = 40;

    private final ApiServer api;

    ChaosTest(ApiServer api) {
        this.api = api;
    }

    @Test
    void noStormMakesTheOperatorBreakAPromise() throws InterruptedException {
        Map<String, Integer> ends = new TreeMap<>();
        for (long next = SEED; next < SEED + SCHEDULES; next += AT_ONCE) {
            int schedules = (int) Math.min(AT_ONCE, SEED + SCHEDULES - next);
            Batch.Outcome outcome = new Batch(api, next, schedules).play();
            System.out.printf(
                    Locale.ROOT,
                    "seeds %d to %d: %s in %d attempts, %d faults, %d operators replaced, %d s%n",
                    next,
                    next + schedules - 1,
                    outcome.ends(),
                    outcome.attempts(),
                    outcome.faults(),
                    outcome.replaced(),
                    outcome.took().toSeconds());
            assertThat(outcome.violations())
                    .as("to play them again: e2e/chaos/run.sh %d %d", schedules, next)
                    .isEmpty();
            outcome.ends().forEach((end, count) -> ends.merge(end, count, Integer::sum));
        }
        // schedules that are too kind or too cruel show nothing
        assertThat(ends).containsKeys("Succeeded", "Failed");
    }
}
