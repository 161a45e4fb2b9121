package dev.rlvr.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rlvr.crds.LifecycleSpec;
import dev.rlvr.crds.LifecycleSpec.Restarts;
import dev.rlvr.crds.RLVRJob;
import dev.rlvr.crds.RLVRJobStatus.State;
import dev.rlvr.lifecycle.World.Fault;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Thousands of random schedules of faults. A violation says its seed and everything that happened. */
class SimulationTest {
    private static final int SCHEDULES = 3000;

    private final RLVRJob template = Scene.job();
    private final RLVRJob served = Scene.served().job;

    @Test
    void whateverGoesWrongEveryJobEndsAndKeepsItsPromises() {
        Map<State, Integer> ends = new EnumMap<>(State.class);
        for (long seed = 0; seed < SCHEDULES; seed++) {
            Simulation simulation = new Simulation(seed, EnumSet.allOf(Fault.class), job(new SplittableRandom(~seed)));
            run(seed, simulation);
            ends.merge(simulation.status().state(), 1, Integer::sum);
        }
        // Both ends must be among them, or the schedules are too kind or too cruel to show anything.
        assertThat(ends.get(State.Succeeded)).isGreaterThan(SCHEDULES / 10);
        assertThat(ends.get(State.Failed)).isGreaterThan(SCHEDULES / 10);
    }

    @Test
    void evictionsSuspensionsAndDyingBackEndsCostNothing() {
        for (long seed = 0; seed < SCHEDULES / 3; seed++) {
            Set<Fault> free = EnumSet.of(Fault.QueueEviction, Fault.ResourcesRemoved, Fault.ServersRemoved);
            Simulation simulation = new Simulation(
                    seed,
                    free,
                    job(
                            seed % 2 == 0 ? template : served,
                            new LifecycleSpec(false, "7d", null, "30m", "60s", "2m", null, new Restarts(0, 0))));
            run(seed, simulation);
            assertThat(simulation.status().state()).as("seed %d", seed).isEqualTo(State.Succeeded);
            assertThat(simulation.status().restarts().total())
                    .as("seed %d", seed)
                    .isZero();
        }
    }

    private static void run(long seed, Simulation simulation) {
        try {
            simulation.run();
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
        }
    }

    private RLVRJob job(RandomGenerator random) {
        Restarts budgets = new Restarts(random.nextInt(4), random.nextInt(21));
        RLVRJob like = random.nextBoolean() ? template : served;
        return switch (random.nextInt(3)) {
            case 0 -> job(like, new LifecycleSpec(false, "10m", null, "15m", "60s", "2m", null, budgets));
            case 1 -> job(like, new LifecycleSpec(false, "10m", null, "15m", "60s", "2m", "5m", budgets));
            default -> job(like, new LifecycleSpec(false, "10m", "1h", "15m", "60s", "2m", "0s", budgets));
        };
    }

    /** A fresh job with that lifecycle; the manifests are read once, for the sake of time. */
    private static RLVRJob job(RLVRJob template, LifecycleSpec lifecycle) {
        RLVRJob job = new RLVRJob();
        job.setMetadata(new ObjectMetaBuilder(template.getMetadata()).build());
        job.setSpec(Scene.withLifecycle(template.getSpec(), lifecycle));
        return job;
    }
}
