package dev.rlvr.trainer.hub;

import static dev.rlvr.trainer.hub.PlayedHub.COMMIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.hub.Repository.Kind;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.TinyModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceHubTest {
    private static final Repository TINY = new Repository(Kind.MODELS, "org/tiny");
    private static final Repository SUMS = new Repository(Kind.DATASETS, "org/sums");

    @TempDir
    Path work;

    private Path model;
    private PlayedHub hub;

    @BeforeEach
    void start(@TempDir Path served) throws IOException {
        model = TinyModel.write(
                Files.createDirectories(served.resolve("models")).resolve("tiny"), Family.QWEN2);
        Files.writeString(model.resolve("README.md"), "not wanted");
        Files.writeString(model.resolve("pytorch_model.bin"), "not wanted");
        Path data = Files.createDirectories(served.resolve("datasets/sums/data"));
        Files.writeString(data.resolve("train set.jsonl"), "{\"prompt\": \"1+1\", \"answer\": \"2\"}\n");
        Files.writeString(data.resolve("test.parquet"), "not really");
        hub = new PlayedHub(served);
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private HubCache cache() {
        return new HubCache(work.resolve("cache"));
    }

    private HuggingFaceHub client() {
        return client(Optional.empty(), Duration.ofSeconds(30));
    }

    private HuggingFaceHub client(Optional<String> token, Duration silence) {
        URI endpoint = URI.create(hub.address());
        HubFiles.Patience patience = new HubFiles.Patience(3, Duration.ofMillis(1), silence);
        return new HuggingFaceHub(
                endpoint,
                Map.of(
                        Kind.MODELS, new HubFiles(endpoint, token, patience),
                        Kind.DATASETS, new HubFiles(endpoint, token, patience)),
                cache());
    }

    private static Path fetch(HuggingFaceHub client, Repository repository, String revision) {
        return client.model(repository, client.commit(repository, revision));
    }

    @Test
    void aModelIsDownloadedOnceAndWithoutWhatNobodyNeeds() throws IOException {
        Path folder = fetch(client(), TINY, "main");

        assertThat(ModelFolder.open(folder).config()).isEqualTo(TinyModel.config(Family.QWEN2));
        assertThat(folder.resolve("model.safetensors")).hasSameBinaryContentAs(model.resolve("model.safetensors"));
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder("config.json", "model.safetensors", "tokenizer.json");
        assertThat(cache().model(TINY, COMMIT)).contains(folder);

        hub.asked.clear();
        assertThat(fetch(client(), TINY, "main")).isEqualTo(folder);
        assertThat(hub.asked).as("only what main is now").containsExactly("/api/models/org/tiny/revision/main");
        hub.asked.clear();
        assertThat(fetch(client(), TINY, COMMIT)).isEqualTo(folder);
        assertThat(hub.asked).as("a commit does not change").isEmpty();
    }

    @Test
    void aFileOfADataSetIsDownloadedAloneAndOnce() {
        HuggingFaceHub client = client();
        Path file = client.file(SUMS, client.commit(SUMS, "main"), "data/train set.jsonl");

        assertThat(file).content().contains("1+1");
        assertThat(client.file(SUMS, COMMIT, "data/test.parquet")).content().isEqualTo("not really");
        assertThat(hub.asked)
                .containsExactly(
                        "/api/datasets/org/sums/revision/main",
                        "/datasets/org/sums/resolve/" + COMMIT + "/data/train set.jsonl",
                        "/datasets/org/sums/resolve/" + COMMIT + "/data/test.parquet",
                        "store /datasets/data/test.parquet");
        assertThat(client.file(SUMS, COMMIT, "data/train set.jsonl")).isEqualTo(file);
        assertThat(hub.asked).hasSize(4);
        assertThat(cache().file(SUMS, COMMIT, "data/train set.jsonl")).contains(file);
    }

    @Test
    void aFileThatADataSetDoesNotHaveIsAnsweredWithThoseThatItHas() {
        assertThatThrownBy(() -> client().file(SUMS, COMMIT, "train.jsonl"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("hf://datasets/org/sums has no file train.jsonl", "data/test.parquet");
    }

    @Test
    void theTokenGoesToTheHubAndToNobodyElse() {
        fetch(client(Optional.of("hf_secret"), Duration.ofSeconds(30)), TINY, "main");

        assertThat(hub.tokens).contains("hub Bearer hf_secret", "store null").doesNotContain("store Bearer hf_secret");
    }

    @Test
    void aDownloadThatBreaksOffIsContinued() {
        hub.cutAfter = 5000;

        Path folder = fetch(client(), TINY, "main");

        assertThat(folder.resolve("model.safetensors")).hasSameBinaryContentAs(model.resolve("model.safetensors"));
        assertThat(hub.asked)
                .contains("store /models/model.safetensors", "store /models/model.safetensors bytes=5000-");
    }

    @Test
    void aServerThatFallsSilentIsAskedAgainForTheRest() {
        hub.cutAfter = 5000;
        hub.silent = true;

        Path folder = fetch(client(Optional.empty(), Duration.ofMillis(200)), TINY, "main");

        assertThat(folder.resolve("model.safetensors")).hasSameBinaryContentAs(model.resolve("model.safetensors"));
        assertThat(hub.asked).contains("store /models/model.safetensors bytes=5000-");
    }

    @Test
    void aHubThatIsBusyIsAskedAgain() {
        hub.busyAnswers.set(2);

        assertThat(fetch(client(), TINY, "main")).isDirectory();
        hub.busyAnswers.set(3);
        assertThatThrownBy(() -> client().commit(SUMS, "main"))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("status 503");
    }

    @Test
    void bytesThatAreNotTheFilesAreNotKept() {
        hub.damage = true;

        assertThatThrownBy(() -> fetch(client(), TINY, "main"))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("does not have the hash");
        assertThat(work.resolve("cache/org--tiny/" + COMMIT + "/model.safetensors"))
                .doesNotExist();
        assertThat(cache().model(TINY, COMMIT)).isEmpty();

        hub.damage = false;
        assertThat(fetch(client(), TINY, "main")).isDirectory();
    }

    @Test
    void aFileThatWasCutShortInTheCacheIsDownloadedAgain() throws IOException {
        Path weights = fetch(client(), TINY, "main").resolve("model.safetensors");
        Files.write(weights, new byte[10]);

        assertThat(cache().model(TINY, COMMIT)).isEmpty();
        fetch(client(), TINY, COMMIT);
        assertThat(weights).hasSameBinaryContentAs(model.resolve("model.safetensors"));
    }

    @Test
    void aHubThatDoesNotSaySizesIsTakenAsItIs() {
        hub.sizes = false;

        Path folder = fetch(client(), TINY, "main");

        assertThat(cache().model(TINY, COMMIT)).contains(folder);
    }

    @Test
    void tooLittleRoomIsSaidBeforeAnythingComes() {
        assertThatThrownBy(() -> cache().requireRoom("hf://org/large", Long.MAX_VALUE, work))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("hf://org/large", "MB left", "spec.checkpoint.volume.size", "spec.hubCache");
    }

    @Test
    void aModelThatIsNotSupportedIsRefusedBeforeItsWeightsAreFetched() throws IOException {
        TinyModel.writeConfig(model, TinyModel.json(Family.QWEN2).put("model_type", "qwen2_moe"));

        assertThatThrownBy(() -> fetch(client(), TINY, "main"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("qwen2_moe");
        assertThat(hub.asked).noneMatch(path -> path.startsWith("store"));
    }

    @Test
    void aHubThatIsGoneIsMadeUpForByTheCacheIfThatIsWhole() {
        HuggingFaceHub client = client();
        Path folder = fetch(client, TINY, "main");
        hub.close();

        assertThat(fetch(client, TINY, "main")).isEqualTo(folder);
        assertThatThrownBy(() -> fetch(client, TINY, "v2"))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContainingAll(
                        "cannot reach " + hub.address().replaceFirst("/$", ""), "HF_ENDPOINT", "file:///");
    }

    @Test
    void whatTheUserGotWrongIsNamed() {
        HuggingFaceHub client = client();
        for (Map.Entry<String, String> wrong : Map.of(
                        "org/none", "does not exist; correct the name or the revision",
                        "org/secret", "is not public; correct the name, or give a token",
                        "org/ti ny", "write hf://ORG/NAME",
                        "org/tiny/model", "write hf://ORG/NAME")
                .entrySet()) {
            assertThatThrownBy(() -> fetch(client, new Repository(Kind.MODELS, wrong.getKey()), "main"))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(wrong.getValue());
        }
        assertThatThrownBy(() -> fetch(client, TINY, "other"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("revision");
    }

    @Test
    void aRepositoryWithoutSafetensorsIsRefused() throws IOException {
        Files.delete(model.resolve("model.safetensors"));

        assertThatThrownBy(() -> fetch(client(), TINY, "main"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no model.safetensors");
        assertThat(hub.asked).hasSize(1);
    }
}
