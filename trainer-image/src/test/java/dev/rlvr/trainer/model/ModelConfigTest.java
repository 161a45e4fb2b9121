package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.ModelConfig.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private ModelConfig read(ObjectNode json) throws IOException {
        TinyModel.writeConfig(folder, json);
        return ModelConfig.read(folder);
    }

    private static ObjectNode with(Family family, String field, String value) throws IOException {
        ObjectNode json = TinyModel.json(family);
        json.set(field, JSON.readTree(value));
        return json;
    }

    private void assertRefused(ObjectNode json, String... parts) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(folder.resolve("config.json").toString())
                .hasMessageContainingAll(parts)
                .message()
                .hasLineCount(1)
                .as("it says what to do")
                .contains("; ");
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void theThreeFamiliesAreRead(Family family) throws IOException {
        assertThat(read(TinyModel.json(family))).isEqualTo(TinyModel.config(family));
    }

    @Test
    void whatAConfigLeavesOutHasTheUsualValues() throws IOException {
        ObjectNode json = TinyModel.json(Family.LLAMA);
        json.remove(List.of("num_key_value_heads", "head_dim", "rms_norm_eps", "rope_theta", "tie_word_embeddings"));

        ModelConfig config = read(json);

        assertThat(config.kvHeads()).isEqualTo(4);
        assertThat(config.headDim()).isEqualTo(4);
        assertThat(config.rmsEpsilon()).isEqualTo(1e-6);
        assertThat(config.ropeTheta()).isEqualTo(10_000);
        assertThat(config.tiedHead()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"rope_type\":\"default\",\"rope_theta\":500000.0}",
                "{\"type\":\"default\",\"rope_theta\":500000.0}",
                "{\"rope_theta\":500000.0}"
            })
    void theNewPlaceOfTheRotaryBaseIsKnown(String parameters) throws IOException {
        assertThat(read(with(Family.LLAMA, "rope_parameters", parameters)).ropeTheta())
                .isEqualTo(500_000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model_type | \"mistral\" | model_type \"mistral\"",
                "model_type | null | model_type null",
                "rope_scaling | {\"rope_type\":\"llama3\",\"factor\":8.0} | rope_scaling of type llama3",
                "rope_scaling | {\"type\":\"linear\",\"factor\":2.0} | rope_scaling of type linear",
                "rope_parameters | {\"rope_type\":\"yarn\"} | rope_scaling of type yarn",
                "use_sliding_window | true | use_sliding_window true",
                "quantization_config | {\"bits\":4} | quantization_config",
                "mlp_bias | true | mlp_bias true",
                "attention_bias | true | attention_bias true",
                "hidden_act | \"gelu\" | hidden_act gelu",
                "vocab_size | 0 | vocab_size 0",
                "hidden_size | -16 | hidden_size -16",
                "hidden_size | \"16\" | hidden_size \"16\"",
                "num_hidden_layers | null | num_hidden_layers null",
                "intermediate_size | 99999999999 | intermediate_size 99999999999",
                "num_key_value_heads | 0 | num_key_value_heads 0",
                "num_key_value_heads | 3 | num_key_value_heads 3",
                "head_dim | 5 | head_dim 5",
                "head_dim | 0 | head_dim 0",
                "eos_token_id | null | eos_token_id",
                "eos_token_id | [] | eos_token_id"
            })
    void whatIsNotSupportedIsRefusedByItsName(String field, String value, String reason) throws IOException {
        assertRefused(with(Family.LLAMA, field, value), reason);
        if (!"model_type".equals(field)) {
            assertRefused(with(Family.QWEN3, field, value), reason);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model_type", "vocab_size", "hidden_size", "num_attention_heads", "eos_token_id"})
    void whatIsNeededAndMissingIsNamed(String field) {
        ObjectNode json = TinyModel.json(Family.QWEN2);
        json.remove(field);

        assertRefused(json, field);
    }

    @Test
    void everyWrongThingIsNamedAtOnce() throws IOException {
        ObjectNode json = with(Family.QWEN2, "use_sliding_window", "true");
        json.put("hidden_act", "gelu");

        assertRefused(json, "use_sliding_window true, hidden_act gelu");
    }

    @Test
    void aSlidingWindowThatIsNotUsedIsNoProblem() throws IOException {
        assertThat(read(with(Family.QWEN2, "sliding_window", "32768"))).isEqualTo(TinyModel.config(Family.QWEN2));
    }

    @Test
    void anAnswerMayEndWithEachOfSeveralTokensAndGenerationConfigKnowsBest() throws IOException {
        assertThat(read(with(Family.LLAMA, "eos_token_id", "[1, 7]")).endTokens())
                .containsExactly(1, 7);

        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":[3,4]}");
        assertThat(ModelConfig.read(folder).endTokens()).containsExactly(3, 4);

        Files.writeString(folder.resolve("generation_config.json"), "{\"temperature\":0.6}");
        assertThat(ModelConfig.read(folder).endTokens()).containsExactly(1, 7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "null", "3", "\u0000"})
    void aFileThatIsNoJsonObjectIsRefused(String text) throws IOException {
        Files.writeString(folder.resolve("config.json"), text);

        assertThatThrownBy(() -> ModelConfig.read(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(folder.resolve("config.json").toString(), "is not", "; ")
                .message()
                .hasLineCount(1);
    }

    @Test
    void aMissingFolderAndAMissingFileAreTold() {
        assertThatThrownBy(() -> ModelConfig.read(folder.resolve("none")))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("there is no folder", "none", "; ");
        assertThatThrownBy(() -> ModelConfig.read(folder))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("config.json", "no such file", "; ");
    }
}
