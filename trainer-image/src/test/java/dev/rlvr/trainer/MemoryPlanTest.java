package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.TrainerSpec.Recomputation;
import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.MemoryNeed;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.Retention;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
    private static final long GB = 1_000_000_000;
    private static final ModelConfig SMOLLM2 = new ModelConfig(
            ModelConfig.Family.LLAMA, 49_152, 576, 1536, 30, 9, 3, 64, 1e-5, 100_000, 2048, true, false, List.of(2));

    private static RLVRJobSpec spec(String trainer, int response) {
        return spec(trainer, response, 0);
    }

    private static RLVRJobSpec spec(String trainer, int response, int gpus) {
        return spec(trainer, 128, response, gpus);
    }

    private static RLVRJobSpec spec(String trainer, int prompt, int response, int gpus) {
        return Manifest.parse("""
                        apiVersion: rlvr.dev/v1alpha1
                        kind: RLVRJob
                        metadata: {name: small}
                        spec:
                          model: {source: "file:///model"}
                          data: {source: "file:///data.jsonl", maxPromptTokens: %d}
                          reward: {verifier: Numeric}
                          algorithm: {promptsPerBatch: 8, groupSize: 8, miniBatchPrompts: 8}
                          rollout: {maxResponseTokens: %d}
                          trainer: {gpusPerReplica: %d%s}
                        """.formatted(prompt, response, gpus, trainer), "test")
                .getSpec();
    }

    @Test
    void weightsGradientsAndMomentsTakeSixteenBytesPerParameter() {
        assertThat(new MemoryNeed(SMOLLM2, Precision.F32).state(Sharding.None, 1))
                .isEqualTo(16 * SMOLLM2.parameters());
        assertThat(new MemoryNeed(SMOLLM2, Precision.BF16).state(Sharding.None, 1))
                .as("two more for the copies that BF16 computes with; norms need none")
                .isBetween((long) (17.9 * SMOLLM2.parameters()), 18 * SMOLLM2.parameters());
    }

    @Test
    void onlyALayerThatIsComputedAgainTakesRoomForItsActivationsBesideThoseKept() {
        MemoryNeed need = new MemoryNeed(SMOLLM2, Precision.F32);
        long ofOneLayer = (need.kept(Retention.ACTIVATIONS) - (long) Float.BYTES * SMOLLM2.hidden()) / SMOLLM2.layers();

        assertThat(need.workspace(Retention.INPUTS) - need.workspace(Retention.ACTIVATIONS))
                .isEqualTo(ofOneLayer);
    }

    @Test
    void autoKeepsLessTheLessThereIs() {
        MemoryNeed need = new MemoryNeed(SMOLLM2, Precision.F32);
        assertThat(new RecomputationPlan(Recomputation.Auto, need, 100 * GB).choose(16_384, 4096))
                .isEqualTo(new RecomputationPlan.Choice(Retention.ACTIVATIONS, true));
        assertThat(new RecomputationPlan(Recomputation.Auto, need, 4 * GB).choose(16_384, 4096))
                .isEqualTo(new RecomputationPlan.Choice(Retention.INPUTS, true));
        assertThat(new RecomputationPlan(Recomputation.Auto, need, GB).choose(16_384, 4096))
                .isEqualTo(new RecomputationPlan.Choice(Retention.INPUTS, false));
        assertThat(new RecomputationPlan(Recomputation.Never, need, GB).choose(16_384, 4096))
                .isEqualTo(new RecomputationPlan.Choice(Retention.ACTIVATIONS, true));
        assertThat(new RecomputationPlan(Recomputation.Always, need, 100 * GB).choose(16_384, 4096))
                .isEqualTo(new RecomputationPlan.Choice(Retention.INPUTS, true));
    }

    @Test
    void longAnswersAreWrittenFewerAtATimeWhereMemoryIsShort() {
        assertThat(MemoryPlan.of(spec("", 128), SMOLLM2, 24 * GB).rows()).isEqualTo(512);

        MemoryPlan plan = MemoryPlan.of(spec(", microBatchTokens: 1024", 20_000), SMOLLM2, 24 * GB);
        assertThat(plan.rows()).isBetween(2, 63);
        plan.require();
        assertThat(plan.peak() + plan.rollout() / plan.rows()).isGreaterThan(24 * GB);
    }

    @Test
    void aGpuHoldsNoCopyForCheckpoints() {
        RLVRJobSpec cpu = spec(", recomputation: Always", 128);
        RLVRJobSpec gpu = spec(", recomputation: Always", 128, 1);
        MemoryPlan here = MemoryPlan.of(cpu, SMOLLM2, 24 * GB);
        MemoryPlan there = MemoryPlan.onGpu(gpu, SMOLLM2, 24 * GB);

        assertThat(there.state()).isEqualTo(here.state());
        assertThat(there.update()).isEqualTo(here.update());
        assertThat(there.peak() - there.state() - Math.max(there.update(), there.rollout()))
                .as("no snapshot")
                .isEqualTo(there.runtime() + there.fragments());
        assertThat(there.host()).isGreaterThan(2 * 12 * SMOLLM2.parameters());
        assertThat(there.summary()).contains("of 24.0 GB on each GPU").doesNotContain("checkpoint copy");
    }

    /** Random weights in SmolLM2's shape trained so on an H100, and the driver showed 29,237 MiB in use (docs/gpu.md). */
    @Test
    void whatAGpuWasSeenToTakeIsPredicted() {
        long seen = 29_237L << 20;
        MemoryPlan plan = MemoryPlan.onGpu(spec(", microBatchTokens: 16384", 16, 512, 1), SMOLLM2, 85 * GB);

        assertThat(plan.peak()).isBetween(seen, seen * 115 / 100);
        assertThat(plan.summary()).contains("fragmentation ");
    }

    @Test
    void aJobThatFitsIsDescribed() {
        MemoryPlan plan = MemoryPlan.of(spec("", 128), SMOLLM2, 24 * GB);
        plan.require();
        assertThat(plan.summary()).startsWith("memory: at most about ").contains("of 24.0 GB", "optimizer 2.2 GB");
    }

    @Test
    void aJobThatCannotFitIsRefusedWithWhatToChange() {
        assertThatThrownBy(() -> MemoryPlan.of(spec(", recomputation: Never", 1024), SMOLLM2, 24 * GB)
                        .require())
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("spec.trainer.microBatchTokens: the job needs about ")
                .hasMessageContainingAll("but there are 24.0 GB", "use trainer.recomputation: Auto");
        assertThatThrownBy(() -> MemoryPlan.of(spec("", 128), SMOLLM2, 2 * GB).require())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("take a smaller model");
    }

    @Test
    void aGpuThatHoldsTheModelOnlyWithoutHolesWantsASmallerOne() {
        MemoryPlan plan = MemoryPlan.onGpu(spec("", 128), SMOLLM2, 24 * GB);
        long almost = plan.runtime() + plan.state() * 106 / 100;

        assertThatThrownBy(
                        () -> MemoryPlan.onGpu(spec("", 128), SMOLLM2, almost).require())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("take a smaller model");
    }
}
