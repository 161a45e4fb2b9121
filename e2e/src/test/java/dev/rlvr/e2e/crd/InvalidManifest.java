package dev.rlvr.e2e.crd;

import java.util.List;

/**
 * A mistake and the field that both the API server and the manifest reader must name.
 *
 * @param fields lines of YAML under {@code spec}, over those of the smallest manifest
 * @param field what every message must contain
 */
record InvalidManifest(String fields, String field) {
    static final List<InvalidManifest> ALL = List.of(
            wrong("model: null", "spec.model"),
            wrong("model: {revision: main}", "spec.model.source"),
            wrong("model: {source: /models/small}", "spec.model.source"),
            wrong("model: {source: 's3://bucket/model'}", "spec.model.source"),
            wrong("model: {source: 'pvc://claim/../other'}", "spec.model.source"),
            wrong("model: {source: 'pvc://two..dots/small'}", "spec.model.source"),
            wrong("model: {source: 'file:///m', secretName: token}", "secretName"),
            wrong("model: {source: 'job://base', revision: main}", "revision"),
            wrong("model: {source: 'job://base/../other'}", "spec.model.source"),
            wrong("model: {source: 'job://Base'}", "spec.model.source"),
            wrong("model: {source: 'job://base/checkpoints/newest'}", "spec.model.source"),
            wrong("model: {source: 'job://wrong'}", "spec.model.source: 'job://wrong' is this job itself"),
            wrong("model: {source: 'job://wrong/model'}", "this job itself"),
            wrong("model: {source: 'hf://org/name/file'}", "spec.model.source"),
            wrong("model: {source: 'hf://datasets/name'}", "spec.model.source"),
            wrong("data: {source: 'job://base'}", "spec.data.source"),
            wrong("data: {source: 'hf://org/name'}", "spec.data.source"),
            wrong("data: {source: 'hf://datasets/org/name'}", "spec.data.source"),
            wrong("data: {source: 'hf://datasets/org/name/train.csv'}", "spec.data.source"),
            wrong("data: {source: 'file:///d', secretName: token}", "data.secretName"),
            wrong("hubCache: {}", "spec.hubCache.claimName"),
            wrong("hubCache: {claimName: hub}", "hubCache"),
            wrong("data: {source: 'file:///d', promptTemplate: 'Solve:'}", "spec.data.promptTemplate"),
            wrong("data: {source: 'file:///d', maxPromptTokens: 0}", "spec.data.maxPromptTokens"),
            wrong("data: {source: 'file:///d', promptField: ''}", "spec.data.promptField"),
            wrong("reward: {}", "spec.reward.verifier"),
            wrong("reward: {verifier: numeric}", "spec.reward.verifier"),
            wrong("reward: {verifier: Exact, timeout: 10}", "spec.reward.timeout"),
            wrong("reward: {verifier: Exact, timeout: 0s}", "spec.reward.timeout"),
            wrong("reward: {verifier: Exact, overlong: {maxTokens: 10, cacheTokens: 10}}", "cacheTokens"),
            wrong("reward: {verifier: Exact, overlong: {maxTokens: 99999, cacheTokens: 10}}", "overlong"),
            wrong("algorithm: {objective: PPO}", "spec.algorithm.objective"),
            wrong("algorithm: {steps: 0}", "spec.algorithm.steps"),
            wrong("algorithm: {steps: 3000000000}", "spec.algorithm.steps"),
            wrong("algorithm: {steps: many}", "spec.algorithm.steps"),
            wrong("algorithm: {steps: 1.5}", "spec.algorithm.steps"),
            wrong("algorithm: {groupSize: 1}", "spec.algorithm.groupSize"),
            wrong("algorithm: {promptsPerBatch: 10}", "promptsPerBatch"),
            wrong("algorithm: {optimizer: {learningRate: 0}}", "spec.algorithm.optimizer.learningRate"),
            wrong("algorithm: {optimizer: {learningRate: '1e-6'}}", "spec.algorithm.optimizer.learningRate"),
            wrong("algorithm: {optimizer: {beta1: 1}}", "spec.algorithm.optimizer.beta1"),
            wrong("algorithm: {clip: {low: 1.5}}", "spec.algorithm.clip.low"),
            wrong("algorithm: {forkingTokens: {fraction: 0}}", "spec.algorithm.forkingTokens.fraction"),
            wrong("algorithm: {forkingTokens: {fraction: 1.5}}", "spec.algorithm.forkingTokens.fraction"),
            wrong("algorithm: {forkingTokens: {fraction: 0.2, entropyThreshold: 1}}", "spec.algorithm.forkingTokens"),
            wrong("algorithm: {forkingTokens: {select: All, fraction: 0.2}}", "spec.algorithm.forkingTokens"),
            wrong("algorithm: {forkingTokens: {select: Random, entropyThreshold: 1}}", "spec.algorithm.forkingTokens"),
            wrong("algorithm: {forkingTokens: {select: All, denominator: All}}", "denominator"),
            wrong("algorithm: {forkingTokens: {scope: Sequence, entropyThreshold: 1}}", "scope"),
            wrong("algorithm: {forkingTokens: {select: Random, entropyFrom: Rollout}}", "entropyFrom"),
            wrong("algorithm: {forkingTokens: {share: 0.2}}", "spec.algorithm.forkingTokens.share"),
            wrong("algorithm: {dynamicSampling: {enabled: false, maxRefills: 3}}", "maxRefills"),
            wrong("rollout: {temperature: 0}", "spec.rollout.temperature"),
            wrong("rollout: {topP: 1.1}", "spec.rollout.topP"),
            wrong("rollout: {servers: {replicas: 2}}", "rollout.servers"),
            wrong("rollout: {maxStaleness: 1}", "spec.rollout"),
            wrong("rollout: {engine: Sglang, servers: {urls: ['a:1']}}", "spec.rollout.servers"),
            wrong("rollout: {engine: Sglang, servers: {urls: ['http://a:1'], replicas: 2}}", "spec.rollout.servers"),
            wrong("rollout: {engine: Vllm, servers: {replicas: 2}}", "spec.rollout"),
            wrong("rollout: {engine: Vllm, maxStaleness: 1, servers: {image: vllm}}", "spec.rollout"),
            wrong("rollout: {engine: Vllm, topP: 0.9, servers: {image: vllm}}", "spec.rollout"),
            wrong("evaluation: {name: aime}", "spec.evaluation"),
            wrong("evaluation: [{name: aime}]", "spec.evaluation[0].source"),
            wrong("evaluation: [{name: AIME, source: 'file:///a'}]", "spec.evaluation[0].name"),
            wrong("evaluation: [{name: a, source: 'file:///a', temperature: 0}]", "spec.evaluation[0]"),
            wrong("evaluation: [{name: a, source: 'file:///a'}, {name: a, source: 'file:///b'}]", "spec.evaluation[1]"),
            wrong("trainer: {precison: F32}", "spec.trainer.precison"),
            wrong("trainer: {gpusPerReplica: 8, ranksPerReplica: 2}", "ranksPerReplica"),
            wrong("trainer: {gpusPerReplica: 0, gpuResource: amd.com/gpu}", "gpuResource"),
            wrong("trainer: {resources: {limits: {nvidia.com/gpu: 1}}}", "resources.limits"),
            wrong("trainer: {resources: {limits: {cpu: two}}}", "spec.trainer.resources.limits"),
            wrong("trainer: {sharding: Parameters}", "sharding"),
            wrong("checkpoint: {keep: 0}", "spec.checkpoint.keep"),
            wrong("checkpoint: {volume: {size: 10GB}}", "spec.checkpoint.volume.size"),
            wrong("checkpoint: {volume: {claimName: mine, size: 5Gi}}", "spec.checkpoint.volume"),
            wrong("checkpoint: {resumeFrom: 'hf://org/name'}", "spec.checkpoint.resumeFrom"),
            wrong("checkpoint: {resumeFrom: 'pvc:///checkpoints'}", "spec.checkpoint.resumeFrom"),
            wrong("checkpoint: {resumeFrom: 'file://relative'}", "spec.checkpoint.resumeFrom"),
            wrong("checkpoint: {resumeFrom: 'job://wrong/checkpoints/step-000010'}", "this job itself"),
            wrong("lifecycle: {suspend: 'true'}", "spec.lifecycle.suspend"),
            wrong("lifecycle: {startDeadline: soon}", "spec.lifecycle.startDeadline"),
            wrong("lifecycle: {restarts: {user: -1}}", "spec.lifecycle.restarts.user"));

    private static InvalidManifest wrong(String fields, String field) {
        return new InvalidManifest(fields, field);
    }

    /** The whole manifest. */
    String text(String namespace) {
        return JobText.of("wrong", namespace, fields);
    }

    @Override
    public String toString() {
        return fields;
    }
}
