package dev.rlvr.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.checkpoint.CheckpointManifest;
import dev.rlvr.trainer.checkpoint.Checkpoints;
import dev.rlvr.trainer.checkpoint.FileSums;
import dev.rlvr.trainer.collectives.NcclStandIn;
import dev.rlvr.trainer.data.SourceResolver;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.model.Safetensors;
import dev.rlvr.trainer.model.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A job that is right, and everything that a user can get wrong about it. */
class InputsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private Path bundled;
    private Path model;
    private Path train;
    private Path test;
    private ObjectNode job;
    private Gpus gpus = Gpus.of(Map.of());

    @BeforeEach
    void aJobThatIsRight() throws IOException {
        bundled = Files.createDirectories(folder.resolve("bundled"));
        model = TinyModel.write(bundled.resolve("model"), Family.QWEN3);
        train = Files.writeString(
                bundled.resolve("train.jsonl"),
                "{\"prompt\":\"How many apples?\\n\",\"answer\":\"4\"}\n{\"prompt\":\"1 2 3\",\"answer\":\"6\"}\n");
        test = Files.writeString(bundled.resolve("test.jsonl"), "{\"prompt\":\"4 5\",\"answer\":\"9\"}\n");
        job = (ObjectNode) JSON.readTree("""
                {"apiVersion": "rlvr.dev/v1alpha1", "kind": "RLVRJob", "metadata": {"name": "tiny"},
                 "spec": {"model": {"source": "bundled://model"},
                          "data": {"source": "bundled://train.jsonl", "maxPromptTokens": 24},
                          "reward": {"verifier": "Numeric"},
                          "algorithm": {"promptsPerBatch": 2, "miniBatchPrompts": 2, "groupSize": 2},
                          "rollout": {"maxResponseTokens": 40},
                          "evaluation": [{"name": "held-out", "source": "bundled://test.jsonl"}],
                          "trainer": {"gpusPerReplica": 0},
                          "checkpoint": {"volume": {"size": "1Gi"}}}}
                """);
    }

    private ObjectNode at(String field) {
        return job.withObject("/spec/" + field);
    }

    private Inputs read() throws IOException {
        return read(folder.resolve("work"));
    }

    private Inputs read(Path work) throws IOException {
        Path manifest = folder.resolve("job.json");
        JSON.writeValue(manifest.toFile(), job);
        return Inputs.read(
                Inputs.job(manifest), work, SourceResolver.of(Map.of("RLVR_BUNDLED", bundled.toString())), gpus);
    }

    private void assertRefused(String field, String... parts) {
        assertRefused(folder.resolve("work"), field, parts);
        assertThat(folder.resolve("work")).as("nothing was written").doesNotExist();
    }

    private void assertRefused(Path work, String field, String... parts) {
        assertThatThrownBy(() -> read(work))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(field + ": ")
                .hasMessageContainingAll(parts)
                .message()
                .hasLineCount(1)
                .as("it says what to do")
                .contains("; ");
    }

    @Test
    void aModelThatNamesNoEndOfAnAnswerIsRefused() throws IOException {
        TinyModel.writeConfig(model, TinyModel.json(Family.QWEN3).putNull("eos_token_id"));

        assertRefused("spec.model.source", "has no eos_token_id");
    }

    @Test
    void aJobThatIsRightIsRead() throws IOException {
        Inputs inputs = read();

        assertThat(inputs.problems()).hasSize(2);
        assertThat(inputs.evaluations()).hasSize(1);
        assertThat(inputs.model().config()).isEqualTo(TinyModel.config(Family.QWEN3));
        assertThat(inputs.resume()).isEmpty();
    }

    @Test
    void gpusWithoutADriverAreRefusedWithWhatWasLookedFor() throws IOException {
        Path devices = Files.createDirectories(folder.resolve("dev"));
        gpus = new Gpus(Map.of(), Optional::empty, devices);
        at("trainer").put("gpusPerReplica", 2);

        assertRefused(
                "spec.trainer.gpusPerReplica",
                "2 needs as many GPUs",
                "libcuda.so.1 cannot be loaded",
                "no " + devices.resolve("nvidia*"),
                "CUDA_VISIBLE_DEVICES is not set",
                "or use 0 (CPU)");
    }

    @Test
    void moreGpusThanTheDriverShowsAreRefused() throws IOException {
        Path devices = Files.createDirectories(folder.resolve("dev"));
        Files.createFile(devices.resolve("nvidia0"));
        try (NcclStandIn one = new NcclStandIn()) {
            gpus = new Gpus(Map.of("CUDA_VISIBLE_DEVICES", "0"), () -> Optional.of(one.driver()), devices);
            at("trainer").put("gpusPerReplica", 2);

            assertRefused(
                    "spec.trainer.gpusPerReplica",
                    "the driver shows 1",
                    "nvidia0",
                    "CUDA_VISIBLE_DEVICES=0",
                    "lower it");
        }
    }

    @Test
    void aGpuNeedsALibtorchForIt() throws IOException {
        try (NcclStandIn one = new NcclStandIn()) {
            gpus = new Gpus(Map.of(), () -> Optional.of(one.driver()), folder);
            at("trainer").put("gpusPerReplica", 1);

            assertRefused(
                    "spec.trainer.gpusPerReplica",
                    "libtorch is for CPUs",
                    "PYTORCH_LIBRARY_PATH",
                    "PYTORCH_FLAVOR=cu128",
                    "pytorch-native-cu128");
        }
    }

    @Test
    void aJobOnAGpuIsReadAndItsMemoryIsTheGpus() throws IOException {
        Path libtorch = Files.createDirectories(folder.resolve("libtorch"));
        Files.createFile(libtorch.resolve("libtorch_cuda.so"));
        try (NcclStandIn one = new NcclStandIn()) {
            gpus = new Gpus(
                    Map.of("PYTORCH_LIBRARY_PATH", libtorch.toString(), "PYTORCH_FLAVOR", "cu128"),
                    () -> Optional.of(one.driver()),
                    folder);
            at("trainer").put("gpusPerReplica", 1);

            assertThat(read().memory().summary()).contains(" of 24.0 GB on each GPU");
        }
    }

    @Test
    void severalGpusNeedNccl() throws IOException {
        Path libtorch = Files.createDirectories(folder.resolve("libtorch"));
        Files.createFile(libtorch.resolve("libtorch_cuda.so"));
        try (NcclStandIn one = new NcclStandIn()) {
            gpus = new Gpus(
                    Map.of(
                            "PYTORCH_LIBRARY_PATH",
                            libtorch.toString(),
                            "PYTORCH_FLAVOR",
                            "cu128",
                            "RLVR_NCCL",
                            "/nowhere/libnccl.so.2"),
                    () -> Optional.of(one.driver()),
                    folder);
            at("trainer").put("gpusPerReplica", 1).put("replicas", 2);

            assertRefused(
                    "spec.trainer.gpusPerReplica",
                    "several GPUs need NCCL",
                    "/nowhere/libnccl.so.2",
                    "nvidia-nccl-cu12");
        }
    }

    @Test
    void checkpointsOfGpusGoThroughTheMemoryOfTheHost() {
        Inputs.requireHostMemory(1000, 1000);

        assertThatThrownBy(() -> Inputs.requireHostMemory(3_000_000_000L, 2_000_000_000))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("spec.trainer.resources", "3.0 GB", "2.0 GB");
    }

    @Test
    void aMissingModelFolder() {
        at("model").put("source", "bundled://no-such-model");

        assertRefused(
                "spec.model.source",
                "bundled://no-such-model",
                bundled.resolve("no-such-model").toString());
    }

    @Test
    void aModelFamilyThatIsNotSupported() throws IOException {
        TinyModel.writeConfig(model, TinyModel.json(Family.QWEN3).put("model_type", "gpt2"));

        assertRefused("spec.model.source", "config.json", "gpt2", "llama, qwen2 and qwen3");
    }

    @Test
    void aCorruptWeightFile() throws IOException {
        Path weights = model.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);

        Files.write(weights, java.util.Arrays.copyOf(whole, whole.length - 1));
        assertRefused("spec.model.source", weights.toString(), "tensor ");
        Files.write(weights, java.util.Arrays.copyOfRange(whole, 100, whole.length));
        assertRefused("spec.model.source", weights.toString(), "not a readable safetensors file");
        Files.delete(weights);
        assertRefused("spec.model.source", model.toString(), "no model.safetensors");
    }

    @Test
    void aTokenizerThatIsMissingOrNone() throws IOException {
        Files.writeString(model.resolve("tokenizer.json"), "{\n\"version\": 1.0,\n\"model\": \n");
        assertRefused("spec.model.source", "tokenizer.json", "not a tokenizer");
        Files.delete(model.resolve("tokenizer.json"));
        assertRefused("spec.model.source", "tokenizer.json");
    }

    @Test
    void aTokenizerOfALargerModel() throws IOException {
        ObjectNode tokenizer =
                (ObjectNode) JSON.readTree(model.resolve("tokenizer.json").toFile());
        ((ObjectNode) tokenizer.path("model").path("vocab")).put("4", 99);
        JSON.writeValue(model.resolve("tokenizer.json").toFile(), tokenizer);

        assertRefused("spec.model.source", "token 99", "test.jsonl line 1", "vocab_size 51");
    }

    @Test
    void anEmptyDataFile() throws IOException {
        Files.writeString(train, "");
        assertRefused("spec.data.source", train.toString(), "no problems");
        Files.writeString(train, "\n \n\n");
        assertRefused("spec.data.source", train.toString(), "no problems");
    }

    @Test
    void aMalformedLineIsNamedByItsNumber() throws IOException {
        Files.writeString(train, "{\"prompt\":\"1\",\"answer\":\"1\"}\n\n{\"prompt\":\"2\",\n");

        assertRefused("spec.data.source", "train.jsonl line 3", "not JSON");
    }

    @Test
    void aMissingAnswerField() {
        at("data").put("answerField", "reward_model.ground_truth");

        assertRefused(
                "spec.data.source",
                "train.jsonl line 1",
                "'reward_model.ground_truth'",
                "there are prompt, answer",
                "spec.data.answerField");
    }

    @Test
    void anAnswerThatTheVerifierCannotRead() throws IOException {
        Files.writeString(test, "{\"prompt\":\"4 5\",\"answer\":\"nine\"}\n");

        assertRefused("spec.evaluation[held-out].source", "test.jsonl line 1", "'nine'", "use verifier Exact");
    }

    @Test
    void aHeldOutSetThatIsMissing() throws IOException {
        Files.delete(test);

        assertRefused("spec.evaluation[held-out].source", "bundled://test.jsonl", test.toString());
    }

    @Test
    void promptsThatAreAllTooLong() {
        at("data").put("maxPromptTokens", 2);

        assertRefused("spec.data.maxPromptTokens", "bundled://train.jsonl", "longer than 2 tokens");
    }

    @Test
    void aHeldOutPromptThatLeavesNoRoomForItsAnswer() throws IOException {
        Files.writeString(
                test,
                "{\"prompt\":\"4 5\",\"answer\":\"9\"}\n{\"prompt\":\"" + "1".repeat(25) + "\",\"answer\":\"9\"}\n");

        assertRefused(
                "spec.evaluation[held-out].source", "test.jsonl line 2", "25 tokens", "spec.data.maxPromptTokens 24");
    }

    @Test
    void aHeldOutPromptBeyondThoseMeasuredDoesNotMatter() throws IOException {
        Files.writeString(
                test,
                "{\"prompt\":\"4 5\",\"answer\":\"9\"}\n{\"prompt\":\"" + "1".repeat(25) + "\",\"answer\":\"9\"}\n");
        ((ObjectNode) job.at("/spec/evaluation/0")).put("maxProblems", 1);

        assertThat(read().evaluations().getFirst().problems()).hasSize(1);
    }

    @Test
    void sequencesLongerThanTheModelWasMadeFor() {
        at("rollout").put("maxResponseTokens", 41);

        assertRefused("spec.rollout.maxResponseTokens", "41", "24", "65", "64", "max_position_embeddings");
    }

    @Test
    void aWorkFolderBelowAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "not a folder");

        assertRefused(file.resolve("work"), "--work", file.resolve("work").toString());
        assertRefused(file, "--work", file.toString());
    }

    @Test
    void tooLittleDisk() {
        Inputs.requireDisk(folder, 1000, new Inputs.Room(2000, 1000));

        assertThatThrownBy(
                        () -> Inputs.requireDisk(folder, 2_500_000_000L, new Inputs.Room(9_000_000_000L, 700_000_000)))
                .as("may be otherwise at the next attempt")
                .isInstanceOf(FullDiskException.class)
                .hasMessageStartingWith("--work: ")
                .hasMessageContainingAll("2,500 MB", "700 MB left", folder.toString(), "; ")
                .message()
                .hasLineCount(1);
        assertThatThrownBy(
                        () -> Inputs.requireDisk(folder, 2_500_000_000L, new Inputs.Room(1_000_000_000L, 700_000_000)))
                .as("never will be")
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("--work: ")
                .hasMessageContainingAll("2,500 MB", "1,000 MB in all", folder.toString(), "; ")
                .message()
                .hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({
        "algorithm, objective, GRPO, use DAPO",
        "reward, verifier, Math, use Numeric or Exact",
    })
    void whatThisReleaseCannotDoYet(String part, String field, String value, String remedy) {
        at(part).put(field, value);

        assertRefused("spec." + part + "." + field, value, remedy);
    }

    @Test
    void aManifestThatTheApiServerWouldRefuse() throws IOException {
        at("algorithm").put("stepz", 3);
        assertThatThrownBy(this::read)
                .isInstanceOf(InputException.class)
                .hasMessageContaining("spec.algorithm.stepz")
                .message()
                .hasLineCount(1);
        assertThatThrownBy(() -> Inputs.job(folder.resolve("none.yaml")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("none.yaml: no such file");
    }

    @Test
    void aFolderToResumeFromThatIsNoCheckpoint() throws IOException {
        Path empty = Files.createDirectories(folder.resolve("step-000007"));

        at("checkpoint").put("resumeFrom", "file://" + empty);
        assertRefused("spec.checkpoint.resumeFrom", empty.toString(), "not a complete checkpoint", "manifest.json");
        at("checkpoint").put("resumeFrom", "file://" + train);
        assertRefused("spec.checkpoint.resumeFrom", train.toString());
        at("checkpoint").put("resumeFrom", "file://" + folder.resolve("none"));
        assertRefused("spec.checkpoint.resumeFrom", "none", "does not exist");
    }

    @Test
    void aCheckpointToResumeFromMustBeOfTheSameModel() throws Exception {
        Path checkpoint = checkpoint(Family.QWEN3);
        at("checkpoint").put("resumeFrom", "file://" + checkpoint);
        assertThat(read().resume().orElseThrow().manifest().step()).isEqualTo(7);
        assertThat(folder.resolve("work")).as("checking writes nothing").doesNotExist();

        checkpoint(Family.LLAMA);
        assertRefused("spec.checkpoint.resumeFrom", checkpoint.toString(), "q_norm");
    }

    private Path checkpoint(Family family) throws Exception {
        return new Checkpoints(folder.resolve("checkpoints"), 1)
                .save(
                        7,
                        to -> {
                            Safetensors.write(to.resolve("model.safetensors"), TinyModel.content(family));
                            return FileSums.of(to);
                        },
                        files -> new CheckpointManifest(7, 0, 0, 0, "", "", files))
                .folder();
    }
}
