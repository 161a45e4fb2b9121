package dev.rlvr.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.crds.ModelSpec;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SourceResolverTest {
    @TempDir
    Path folder;

    private SourceResolver resolver = SourceResolver.of(Map.of());

    @BeforeEach
    void folders() throws IOException {
        Files.createDirectories(folder.resolve("examples/quickstart/model"));
        Files.createDirectories(folder.resolve("pvc/datasets"));
        Files.writeString(folder.resolve("pvc/datasets/train.jsonl"), "");
        resolver = new SourceResolver(
                Optional.of(folder.resolve("examples")),
                folder.resolve("pvc"),
                HubSources.of(Map.of()),
                new JobFolders(Optional.of(folder + "/runs/default-")));
    }

    private static ModelSpec model(String source) {
        return new ModelSpec(source, null, null);
    }

    @Test
    void everySchemeHasItsFolder() {
        Path data = folder.resolve("pvc/datasets/train.jsonl");
        assertThat(resolver.model(model("bundled://quickstart/model")))
                .isEqualTo(folder.resolve("examples/quickstart/model"));
        assertThat(resolver.problems("spec.data.source", "pvc://datasets/train.jsonl"))
                .isEqualTo(data);
        assertThat(resolver.problems("spec.data.source", "file://" + data)).isEqualTo(data);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bundled://quickstart/none | does not exist",
                "bundled://../pvc/datasets/train.jsonl | leads out of its folder",
                "pvc://other/train.jsonl | does not exist",
                "hf://Qwen/Qwen3-8B-Base | names no file; write hf://datasets/ORG/NAME/PATH",
                "ftp://a/b | is not a source"
            })
    void aSourceThatCannotBeFoundIsNamedWithItsField(String source, String why) {
        assertThatThrownBy(() -> resolver.problems("spec.data.source", source))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("spec.data.source: ")
                .hasMessageContaining(source)
                .hasMessageContaining(why);
    }

    @Test
    void aModelOfAHubIsAskedForThere() {
        SourceResolver noHub =
                SourceResolver.of(Map.of("HF_ENDPOINT", "http://127.0.0.1:1", "HOME", folder.toString()));

        assertThatThrownBy(() -> noHub.model(new ModelSpec("hf://Qwen/Qwen3-8B-Base", "v1", null)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("http://127.0.0.1:1");
        assertThatThrownBy(() -> noHub.model(new ModelSpec("hf://Qwen/Qwen3-8B-Base/weights", null, null)))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("spec.model.source: ");
    }

    @Test
    void withoutAFolderOfBundledSourcesTheVariableIsNamed() {
        assertThatThrownBy(() -> SourceResolver.of(Map.of()).model(model("bundled://quickstart/model")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("RLVR_BUNDLED");
    }
}
