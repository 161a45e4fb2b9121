package dev.rlvr.bench.scaling;

import dev.rlvr.crds.TrainerSpec.Sharding;
import dev.rlvr.trainer.model.ModelConfig;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.model.Precision;
import java.util.List;

/** The jobs that the tables are about: shapes as published, everything else as DAPO's paper has it or assumed. */
public final class Models {
    private Models() {}

    /** The shape of Qwen3-8B. */
    public static ModelConfig qwen8b() {
        return qwen(4096, 12_288, 36, 32);
    }

    /** The shape of Qwen3-32B. */
    public static ModelConfig qwen32b() {
        return qwen(5120, 25_600, 64, 64);
    }

    private static ModelConfig qwen(int hidden, int intermediate, int layers, int heads) {
        return new ModelConfig(
                Family.QWEN3,
                151_936,
                hidden,
                intermediate,
                layers,
                heads,
                8,
                128,
                1e-6,
                1e6,
                40_960,
                false,
                false,
                List.of(151_645));
    }

    /**
     * A batch of 512 prompts with 16 answers of at most 20,480 tokens, 32 prompts per gradient step, the forking fifth kept: DAPO's. Assumed: answers
     * of 4,000 tokens on average with a spread of 1, half of the variance between problems, prompts of 200, a checkpoint every 10 steps, a second for the last verdict.
     */
    public static Job job(ModelConfig model, Sharding sharding) {
        return new Job(
                model,
                Precision.BF16,
                512,
                16,
                32,
                200,
                new Lengths(4000, 1, 20_480, 0.5),
                16_384,
                0.2,
                sharding,
                Precision.F32,
                10,
                1);
    }
}
