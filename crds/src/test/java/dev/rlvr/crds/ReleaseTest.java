package dev.rlvr.crds;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReleaseTest {
    private static RLVRJobSpec spec(String fields) {
        // A field given twice is a syntax error, so each part is there once: from the test or from here.
        String model = fields.contains("model:") ? "" : "  model: {source: file:///models/small}\n";
        String data = fields.contains("data:") ? "" : "  data: {source: file:///data/train.jsonl}\n";
        String reward = fields.contains("reward:") ? "" : "  reward: {verifier: Exact}\n";
        String trainer = fields.contains("trainer:") ? "" : "  trainer: {gpusPerReplica: 0}\n";
        return Manifest.parse(
                        "apiVersion: rlvr.dev/v1alpha1\nkind: RLVRJob\nmetadata: {name: small}\nspec:\n" + model + data
                                + reward + trainer + "  " + fields + "\n",
                        "test")
                .getSpec();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    algorithm: {objective: GSPO}                 | spec.algorithm.objective: GSPO is not in this release; use DAPO
                    algorithm: {klCoefficient: 0.01}             | spec.algorithm.klCoefficient: 0.01 is not in this release; use 0
                    algorithm: {entropyCoefficient: 0.01}        | spec.algorithm.entropyCoefficient: 0.01 is not in this release; use 0
                    rollout: {engine: Sglang}                    | spec.rollout.servers.gpusPerReplica: 1 without rollout.servers.image is not in this release; name an image of SGLang, or use 0 (CPU)
                    rollout: {engine: Sglang, servers: {replicas: 2}} | spec.rollout.servers.gpusPerReplica: 1 without rollout.servers.image is not in this release; name an image of SGLang, or use 0 (CPU)
                    reward: {verifier: Code}                     | spec.reward.verifier: Code is not in this release; use Numeric or Exact
                    """)
    void whatTheTrainerCannotDoYetIsNamedWithARemedy(String fields, String line) {
        assertThat(Release.unsupported(spec(fields))).containsExactly(line);
    }

    @Test
    void serversSayNoEntropiesToSelectBy() {
        assertThat(Release.unsupported(spec("algorithm: {forkingTokens: {entropyFrom: Rollout}}\n"
                        + "  rollout: {engine: Sglang, servers: {urls: ['http://one:30000']}}")))
                .containsExactly(
                        "spec.algorithm.forkingTokens.entropyFrom: Rollout with rollout.engine Sglang is not in"
                                + " this release; servers do not say entropies; use Current");
    }

    @Test
    void thereIsOneRankPerGpuOrAsManyAsAskedForOnCpus() {
        assertThat(spec("trainer: {gpusPerReplica: 0, replicas: 3, ranksPerReplica: 4}")
                        .trainer()
                        .ranks())
                .isEqualTo(12);
        TrainerSpec gpus = spec("trainer: {gpusPerReplica: 8, replicas: 2}").trainer();
        assertThat(gpus.ranksPerPod()).isEqualTo(8);
        assertThat(gpus.ranks()).isEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rollout: {engine: Sglang, servers: {urls: ['http://one:30000', 'http://two:30000/']}}",
                "rollout: {engine: Sglang, servers: {replicas: 2, gpusPerReplica: 0}}",
                "rollout: {engine: Sglang, servers: {image: lmsysorg/sglang, gpusPerReplica: 8, extraArgs: [--dtype, bfloat16]}}",
                "rollout: {engine: Vllm, servers: {urls: ['http://one:8000']}}",
                "rollout: {engine: Vllm, servers: {image: vllm/vllm-openai, gpusPerReplica: 8}}",
                "rollout: {engine: Sglang, servers: {gpusPerReplica: 0}}\n  trainer: {gpusPerReplica: 0, ranksPerReplica: 2}",
                "algorithm: {forkingTokens: {select: All}}",
                "algorithm: {forkingTokens: {select: Random, fraction: 0.5}}",
                "algorithm: {forkingTokens: {select: LowestEntropy, entropyThreshold: 0.7, denominator: All}}",
                "algorithm: {dynamicSampling: {enabled: false}, epochsPerBatch: 4, clip: {low: 0.1, high: 0.3, dual: 3}}",
                "algorithm: {forkingTokens: {scope: Sequence}}",
                "algorithm: {forkingTokens: {scope: MicroBatch, entropyFrom: Rollout}}",
                "trainer: {gpusPerReplica: 0, precision: BF16, recomputation: Always}",
                "trainer: {gpusPerReplica: 0, replicas: 2, ranksPerReplica: 4}",
                "trainer: {}",
                "trainer: {replicas: 2, gpusPerReplica: 8}",
                "trainer: {gpusPerReplica: 0, ranksPerReplica: 2, sharding: Parameters}",
                "reward: {verifier: Numeric, overlong: {maxTokens: 100, cacheTokens: 20}}",
                "rollout: {topP: 0.9, topK: 50, temperature: 0.7}",
                "checkpoint: {resumeFrom: pvc://old/checkpoints/step-000010}",
                "checkpoint: {resumeFrom: file:///old/checkpoints/step-000010}",
                "model: {source: pvc://models/small}",
                "model: {source: job://base}",
                "data: {source: hf://datasets/org/data/train.jsonl}",
            })
    void whatTheTrainerDoesIsNotRefused(String fields) {
        assertThat(Release.unsupported(spec(fields))).isEmpty();
    }
}
