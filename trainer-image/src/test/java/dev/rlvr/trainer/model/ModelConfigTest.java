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

    /** The defaults of the configuration classes of transformers 5.23. */
    @ParameterizedTest
    @CsvSource({"LLAMA, 4, 4, 2048, true", "QWEN2, 32, 4, 32768, false", "QWEN3, 32, 128, 32768, false"})
    void whatAConfigLeavesOutIsWhatItsFamilyHas(Family family, int kvHeads, int headDim, int maxPositions, boolean ends)
            throws IOException {
        ObjectNode json = TinyModel.json(family).put("num_attention_heads", 32).put("hidden_size", 128);
        if (family == Family.LLAMA) {
            json.put("num_attention_heads", 4).put("hidden_size", 16);
        }
        json.remove(List.of(
                "num_key_value_heads",
                "head_dim",
                "rms_norm_eps",
                "rope_theta",
                "tie_word_embeddings",
                "max_position_embeddings",
                "eos_token_id"));

        ModelConfig config = read(json);

        assertThat(config.kvHeads()).isEqualTo(kvHeads);
        assertThat(config.headDim()).isEqualTo(headDim);
        assertThat(config.maxPositions()).isEqualTo(maxPositions);
        assertThat(config.endTokens()).isEqualTo(ends ? List.of(2) : List.of());
        assertThat(config.rmsEpsilon()).isEqualTo(1e-6);
        assertThat(config.ropeTheta()).isEqualTo(10_000);
        assertThat(config.ropeScaling()).isEqualTo(new RopeScaling.None());
        assertThat(config.tiedHead()).isFalse();
    }

    @Test
    void nullMeansNoGroupingAndHeadsOfTheUsualWidth() throws IOException {
        ObjectNode json = with(Family.QWEN2, "num_key_value_heads", "null");
        json.putNull("head_dim");

        assertThat(read(json).kvHeads()).isEqualTo(4);
        assertThat(read(json).headDim()).isEqualTo(4);
        // transformers refuses this, too: the family's heads have a width of their own
        assertRefused(with(Family.QWEN3, "head_dim", "null"), "head_dim null");
    }

    @Test
    void aModelWithoutAnEndOfAnAnswerCanBeRead() throws IOException {
        assertThat(read(with(Family.LLAMA, "eos_token_id", "null")).endTokens()).isEmpty();
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
                "model_type | \"qwen3_moe\" | model_type \"qwen3_moe\"",
                "model_type | \"mixtral\" | model_type \"mixtral\"",
                "num_experts | 8 | num_experts 8",
                "num_local_experts | 8 | num_local_experts 8",
                "rope_scaling | {\"type\":\"dynamic\",\"factor\":2.0} | rope_scaling of type dynamic",
                "rope_scaling | {\"type\":\"su\",\"factor\":2.0} | rope_scaling of type su",
                "rope_scaling | {\"rope_type\":\"longrope\"} | rope_scaling of type longrope",
                "rope_parameters | {\"rope_type\":\"proportional\"} | rope_parameters of type proportional",
                "rope_parameters | {\"full_attention\":{\"rope_theta\":1.0}} | rope_parameters for each kind of layer",
                "rope_parameters | {\"partial_rotary_factor\":0.5} | partial_rotary_factor 0.5",
                "partial_rotary_factor | 0.25 | partial_rotary_factor 0.25",
                "rope_scaling | {\"type\":\"linear\"} | rope_scaling factor nowhere",
                "rope_scaling | {\"type\":\"linear\",\"factor\":-2} | rope_scaling factor -2",
                "rope_scaling | {\"type\":\"linear\",\"factor\":\"2\"} | rope_scaling factor \"2\"",
                "rope_scaling | {\"type\":\"yarn\"} | rope_scaling factor nowhere",
                "rope_scaling | {\"rope_type\":\"llama3\",\"factor\":8.0} | rope_scaling low_freq_factor nowhere",
                "rope_theta | \"10000\" | rope_theta \"10000\"",
                "layer_types | [\"full_attention\",\"sliding_attention\"] | layer_types sliding_attention",
                "layer_types | [\"linear_attention\",\"full_attention\"] | layer_types linear_attention",
                "quantization_config | {\"quant_method\":\"gptq\"} | quantization_config (gptq)",
                "rms_norm_eps | 0 | rms_norm_eps 0",
                "max_position_embeddings | 0 | max_position_embeddings 0",
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
                "head_dim | 0 | head_dim 0"
            })
    void whatIsNotSupportedIsRefusedByItsName(String field, String value, String reason) throws IOException {
        assertRefused(with(Family.LLAMA, field, value), reason);
        if (!"model_type".equals(field)) {
            assertRefused(with(Family.QWEN3, field, value), reason);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"model_type", "vocab_size", "hidden_size", "num_attention_heads"})
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
        ObjectNode json = with(Family.QWEN2, "sliding_window", "32768");
        json.put("use_sliding_window", false).put("max_window_layers", 1);
        json.putArray("layer_types").add("full_attention").add("full_attention");

        assertThat(read(json)).isEqualTo(TinyModel.config(Family.QWEN2));
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
