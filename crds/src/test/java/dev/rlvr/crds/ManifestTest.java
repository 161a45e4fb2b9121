package dev.rlvr.crds;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestTest {
    private static final Path QUICKSTART = Path.of("../examples/quickstart/rlvrjob.yaml");

    private static final String SMALLEST = """
            apiVersion: rlvr.dev/v1alpha1
            kind: RLVRJob
            metadata:
              name: small
            spec:
              model: {source: file:///models/small}
              data: {source: file:///data/train.jsonl}
              reward: {verifier: Exact}
            """;

    @Test
    void theSmallestManifestGetsEveryDefault() {
        RLVRJob job = Manifest.parse(SMALLEST, "small.yaml");

        assertThat(job.getMetadata().getNamespace()).isEqualTo("default");
        RLVRJobSpec spec = job.getSpec();
        assertThat(spec.data().promptTemplate()).isEqualTo("{prompt}");
        assertThat(spec.reward().timeout()).isEqualTo("10s");
        assertThat(spec.algorithm().optimizer().learningRate()).isEqualTo(1e-6);
        assertThat(spec.algorithm().clip()).isEqualTo(new AlgorithmSpec.Clip(0.2, 0.28, 10, 2));
        assertThat(spec.algorithm().forkingTokens().select())
                .isEqualTo(AlgorithmSpec.ForkingTokens.Select.HighestEntropy);
        assertThat(spec.algorithm().forkingTokens().fraction()).isNull();
        assertThat(spec.lifecycle().restarts()).isEqualTo(new LifecycleSpec.Restarts(3, 20));
        assertThat(spec.evaluation()).isNull();
    }

    @Test
    void theQuickstartRunsInThisRelease() {
        RLVRJob job = Manifest.read(QUICKSTART);

        assertThat(job.getMetadata().getName()).isEqualTo("quickstart");
        assertThat(Release.unsupported(job.getSpec())).isEmpty();
    }

    @Test
    void aWrittenManifestReadsBackAsTheSameJob() {
        RLVRJob job = Manifest.parse(SMALLEST.replace("name: small", """
                                name: small
                                  labels: {team: reasoning}
                                  annotations: {note: "true", kubectl.kubernetes.io/last-applied-configuration: "{}"}""") + """
                          algorithm: {seed: -9007199254740993, optimizer: {learningRate: 1e-6}}
                          trainer: {podTemplate: {spec: {tolerations: [{key: "1e3", operator: Exists}]}}}
                        """, "small.yaml");

        String text = Manifest.write(job);
        RLVRJob back = Manifest.parse(text, "written");

        assertThat(back.getSpec()).isEqualTo(job.getSpec());
        assertThat(back.getMetadata().getName()).isEqualTo("small");
        assertThat(back.getMetadata().getLabels()).containsExactly(Map.entry("team", "reasoning"));
        assertThat(back.getMetadata().getAnnotations()).containsExactly(Map.entry("note", "true"));
        assertThat(Manifest.write(back)).isEqualTo(text);
    }

    @Test
    void aJobThatWasCheckedIsReadBackWithoutAnotherCheck(@TempDir Path folder) throws IOException {
        RLVRJob job = Manifest.read(QUICKSTART);
        Path written = Files.writeString(folder.resolve("checked.yaml"), Manifest.write(job));
        Path steps = Files.writeString(
                folder.resolve("steps.yaml"), Manifest.write(job).replace("steps: 30", "steps: 0"));

        assertThat(Manifest.readChecked(written).getSpec()).isEqualTo(job.getSpec());
        assertThat(Manifest.readChecked(written).getMetadata()).isEqualTo(job.getMetadata());
        assertThat(Manifest.readChecked(steps).getSpec().algorithm().steps()).isZero();
    }

    @Test
    void theStatusOfAStoredJobIsNotPartOfItsManifest() {
        RLVRJob job = Manifest.parse(SMALLEST + "status: {state: Running}\n", "stored.yaml");

        assertThat(job.getStatus()).isNull();
    }

    @Test
    void jsonIsAManifestToo() {
        RLVRJob job = Manifest.parse("""
                {"apiVersion": "rlvr.dev/v1alpha1", "kind": "RLVRJob", "metadata": {"name": "small"},
                \t"spec": {"model": {"source": "file:///m"}, "data": {"source": "file:///d"},
                \t"reward": {"verifier": "Exact"}, "algorithm": {"steps": 3.0}}}
                """, "small.json");

        assertThat(job.getSpec().algorithm().steps()).isEqualTo(3);
    }

    @ParameterizedTest(name = "{0} -> {1}")
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    algorithm: {forkingTokens: {fraction: 1.5}}       | spec.algorithm.forkingTokens.fraction: 1.5 is above the maximum 1
                    algorithm: {forkingTokens: {fraction: 0}}         | spec.algorithm.forkingTokens.fraction: 0 is not above 0
                    algorithm: {forkingTokens: {fraction: 0.2, entropyThreshold: 1}} | spec.algorithm.forkingTokens: fraction and entropyThreshold exclude each other; keep one
                    algorithm: {forkingTokens: {select: All, fraction: 0.2}} | spec.algorithm.forkingTokens: select All keeps every token; remove fraction and entropyThreshold
                    algorithm: {forkingTokens: {share: 0.2}}          | spec.algorithm.forkingTokens.share: unknown field; known here: denominator, entropyFrom, entropyThreshold, fraction, scope, select
                    algorithm: {objective: PPO}                       | spec.algorithm.objective: PPO is not one of CISPO, DAPO, DrGRPO, GRPO, GSPO, RLOO, ReinforcePlusPlus
                    algorithm: {steps: ten}                           | spec.algorithm.steps: ten is not an integer
                    algorithm: {steps: 1.5}                           | spec.algorithm.steps: 1.5 is not an integer
                    algorithm: {steps: 3000000000}                    | spec.algorithm.steps: 3000000000 is above the maximum 10000000
                    algorithm: {optimizer: {learningRate: '1e-6'}}  | spec.algorithm.optimizer.learningRate: 1e-6 is not a number
                    algorithm: {optimizer: {learningRate: 0.0}}       | spec.algorithm.optimizer.learningRate: 0 is not above 0
                    algorithm: {promptsPerBatch: 10, miniBatchPrompts: 4} | spec.algorithm: promptsPerBatch must be a multiple of miniBatchPrompts
                    trainer: {precison: F32}                          | spec.trainer.precison: unknown field; did you mean precision?
                    learningRate: 1e-6                                | spec.learningRate: unknown field; it belongs to spec.algorithm.optimizer
                    trainer: {gpusPerReplica: 8, ranksPerReplica: 2}  | spec.trainer: ranksPerReplica is for CPUs (gpusPerReplica: 0); with GPUs there is one rank per GPU
                    trainer: {image: ""}                              | spec.trainer.image: must not be empty
                    trainer: []                                       | spec.trainer: a list is not an object
                    trainer: {resources: {limits: {cpu: two}}}        | spec.trainer.resources.limits.cpu: two is not a quantity such as 500m, 2 or 4Gi
                    lifecycle: {suspend: 'true'}                    | spec.lifecycle.suspend: true is not true or false
                    lifecycle: {startDeadline: 90}                    | spec.lifecycle.startDeadline: 90 is not a string; put it in quotes
                    lifecycle: {startDeadline: 0s}                    | spec.lifecycle.startDeadline: '0s' is not a duration; write it as 90s, 1h30m or 7d
                    rollout: {servers: {urls: ["http://a:1"]}}        | spec: rollout.servers has no effect with engine Embedded; remove it or choose Sglang or Vllm
                    rollout: {maxStaleness: 1} | spec.rollout: maxStaleness 1 needs rollout servers: with engine Embedded sampling and updating take turns; use 0, or another engine
                    rollout: {engine: Vllm} | spec.rollout: engine Vllm needs servers.image, an image of vLLM, or servers.urls, servers that run already
                    rollout: {engine: Vllm, servers: {replicas: 2}} | spec.rollout: engine Vllm needs servers.image, an image of vLLM, or servers.urls, servers that run already
                    rollout: {engine: Vllm, maxStaleness: 1, servers: {image: vllm}} | spec.rollout: engine Vllm needs maxStaleness 0, for its answers are compared with the policy that they have to be from; or choose another engine
                    rollout: {engine: Vllm, topP: 0.9, servers: {image: vllm}} | spec.rollout: engine Vllm needs topP 1 and topK 0, for else its log-probabilities are not over all tokens, and a temperature from 0.01, for below it takes that; or choose another engine
                    rollout: {engine: Vllm, topK: 50, servers: {image: vllm}} | spec.rollout: engine Vllm needs topP 1 and topK 0, for else its log-probabilities are not over all tokens, and a temperature from 0.01, for below it takes that; or choose another engine
                    rollout: {engine: Vllm, temperature: 0.001, servers: {image: vllm}} | spec.rollout: engine Vllm needs topP 1 and topK 0, for else its log-probabilities are not over all tokens, and a temperature from 0.01, for below it takes that; or choose another engine
                    rollout: {engine: Sglang, servers: {urls: ["a:1"]}} | spec.rollout.servers: urls must be of the form http://HOST:PORT
                    rollout: {engine: Sglang, servers: {urls: ["http://a:1/v1"]}} | spec.rollout.servers: urls must be of the form http://HOST:PORT
                    rollout: {engine: Sglang, servers: {urls: ["http://a:1"], replicas: 2}} | spec.rollout.servers: replicas, gpusPerReplica, gpuResource, image, resources, extraArgs and podTemplate have no effect with urls, which name servers that run already; remove them
                    rollout: {engine: Sglang, servers: {extraArgs: [--tp, "2", --port=1]}} | spec.rollout.servers: extraArgs must not have --host, --port, --model, --model-path or --weight-version, which are given to each server
                    rollout: {engine: Sglang, servers: {gpusPerReplica: 0, gpuResource: amd.com/gpu}} | spec.rollout.servers: gpuResource has no effect with gpusPerReplica: 0; remove it
                    checkpoint: {volume: {size: 10GB}}                | spec.checkpoint.volume.size: '10GB' is not a size; write it as 500Mi or 10Gi
                    evaluation: {name: a}                             | spec.evaluation: an object is not a list
                    evaluation: [{name: a, source: file:///a}, {name: a, source: file:///b}] | spec.evaluation[1].name: a is already taken by spec.evaluation[0]
                    evaluation: [{name: a}]                           | spec.evaluation[0].source: is required: JSONL or Parquet file of problems, as in spec.data.source.
                    """)
    void aMistakeIsNamedWithFieldValueAndWhatIsAllowed(String mistake, String line) {
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse(SMALLEST + "  " + mistake.replace("'\"", "'"), "x"))
                .satisfies(e -> assertThat(e.problems()).containsExactly(line));
    }

    @Test
    void allProblemsAreReportedAtOnce() {
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse("""
                        apiVersion: rlvr.dev/v1alpha1
                        kind: RLVRJob
                        metadata: {name: Small, lables: {}}
                        spec:
                          model: {source: /models/small}
                          reward: {verifier: math}
                          algorithm: {promptsPerBatch: 10, forkingTokens: {fraction: 2}}
                        """, "small.yaml"))
                .satisfies(e -> assertThat(e.problems())
                        .containsExactlyInAnyOrder(
                                "metadata.lables: unknown field; did you mean labels?",
                                "metadata.name: 'Small' is not a name of at most 45 lower-case letters, digits and '-' that"
                                        + " starts with a letter, as the names of the job's Service and pods need",
                                "spec.data: is required: The problems to train on.",
                                "spec.model.source: '/models/small' is not a source of a model; use hf://ORG/NAME,"
                                        + " pvc://CLAIM/PATH, file:///PATH, bundled://NAME, job://NAME or"
                                        + " job://NAME/checkpoints/step-NNNNNN, without '..'",
                                "spec.reward.verifier: math is not one of Code, Exact, Http, Math, Numeric, Regex",
                                "spec.algorithm.forkingTokens.fraction: 2 is above the maximum 1",
                                "spec.algorithm: promptsPerBatch must be a multiple of miniBatchPrompts"));
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(delimiter = '|', textBlock = """
                    apiVersion: v1                       | apiVersion: 'v1' is not rlvr.dev/v1alpha1;kind: is required: RLVRJob
                    'kind: RLVRJob\napiVersion: rlvr.dev/v1' | apiVersion: 'rlvr.dev/v1' is not rlvr.dev/v1alpha1
                    just words                           | x.yaml: holds no RLVRJob manifest; it must start with apiVersion and kind
                    'a: 1\n---\na: 2'                    | x.yaml: holds 2 documents; keep one RLVRJob to a file
                    'a: 1\na: 2'                         | x.yaml, line 2, column 1: the key a is there twice
                    'spec:\n  a: 1\n b: 2'               | x.yaml, line 3, column 2: expected <block end>, but found '<block mapping start>'
                    '{"a": 1,}'                          | x.yaml, line 1, column 9: Unexpected character ('}' (code 125)): was expecting double-quote to start field name
                    'a: &x [*x]'                         | x.yaml, line 1, column 4: an alias that contains itself
                    'a: .nan'                            | x.yaml, line 1, column 4: .nan is not a finite number
                    """)
    void aTextThatIsNoManifestIsRefusedWhereItGoesWrong(String text, String lines) {
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse(text.translateEscapes(), "x.yaml"))
                .withMessage(lines.replace(';', '\n')
                        .replace("manifest\n", "manifest;")
                        .replace("documents\n", "documents;"));
    }

    @Test
    void aFileThatCannotBeReadSaysWhy(@TempDir Path folder) throws IOException {
        Path latin1 = Files.write(folder.resolve("latin1.yaml"), new byte[] {'a', ':', ' ', (byte) 0xe4});

        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.read(folder.resolve("none.yaml")))
                .withMessage(folder.resolve("none.yaml") + ": no such file");
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.read(folder))
                .withMessage(folder + ": cannot be read: it is a folder");
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.read(latin1))
                .withMessage(latin1 + ": is not UTF-8 text");
    }

    @Test
    void aManifestOfNothingButTheHeadSaysWhatIsMissing() {
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> Manifest.parse("apiVersion: rlvr.dev/v1alpha1\nkind: RLVRJob\n", "x.yaml"))
                .withMessage("metadata.name: is required: the job's name\n"
                        + "spec: is required: What to train, on what, how, and where its state goes.");
    }
}
