package dev.rlvr.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rlvr.trainer.model.ModelConfig.Family;
import dev.rlvr.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Expected values are inv_freq and attention_scaling of LlamaRotaryEmbedding in transformers 5.23.0. */
class RopeScalingTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Percentage TWO_UNITS_IN_THE_LAST_PLACE = Percentage.withPercentage(2.4e-5);

    @TempDir
    Path folder;

    private ModelConfig read(String fields) throws IOException {
        ObjectNode json = TinyModel.json(Family.LLAMA).put("head_dim", 16).put("max_position_embeddings", 1024);
        json.remove("rope_theta");
        json.setAll((ObjectNode) JSON.readTree(fields));
        TinyModel.writeConfig(folder, json);
        return ModelConfig.read(folder);
    }

    static Stream<Arguments> configurations() {
        return Stream.of(
                // default, old and new place
                arguments(
                        """
                        {"rope_theta": 500000.0}""",
                        "1 0.193922758 0.0376060307 0.00729266508 0.00141421345 0.000274248188 5.31829573e-05 1.03133852e-05",
                        1),
                arguments(
                        """
                        {"rope_scaling": {}, "rope_parameters": {"rope_type": "default", "rope_theta": 777.0}}""",
                        "1 0.435208499 0.18940644 0.082431294 0.0358747989 0.0156130176 0.00679491833 0.00295720622",
                        1),
                // linear
                arguments(
                        """
                        {"rope_theta": 10000.0, "rope_scaling": {"type": "linear", "factor": 4.0}}""",
                        "0.25 0.079056941 0.0250000004 0.00790569466 0.00249999994 0.000790569466 0.000250000012 7.90569466e-05",
                        1),
                arguments(
                        """
                        {"rope_scaling": {"type": "dynamic", "rope_type": "linear", "factor": 2.0}}""",
                        "0.5 0.158113882 0.0500000007 0.0158113893 0.00499999989 0.00158113893 0.000500000024 0.000158113893",
                        1),
                // both places: rope_scaling wins, with the base that stands outside
                arguments(
                        """
                        {"rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 2.0}, "rope_parameters": {"rope_type":
                        "default", "rope_theta": 777.0}}""",
                        "0.5 0.229931638 0.10573712 0.0486246236 0.0223606806 0.0102828564 0.00472870795 0.00217455928",
                        1),
                // length
                arguments(
                        """
                        {"rope_theta": 500000.0, "max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor":
                        32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}""",
                        "1 0.193922758 0.0376060307 0.00729266508 0.000429556705 8.57025589e-06 1.66196742e-06 3.22293289e-07",
                        1),
                arguments(
                        """
                        {"rope_parameters": {"rope_theta": 10000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                        "high_freq_factor": 4.0, "original_max_position_embeddings": 256}}""",
                        "1 0.316227764 0.100000001 0.00661310693 0.00124999997 0.000395284733 0.000125000006 3.95284733e-05",
                        1),
                arguments(
                        """
                        {"rope_parameters": {"rope_theta": 10000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                        "high_freq_factor": 4.0}}""",
                        "1 0.316227764 0.100000001 0.0316227786 0.00308676064 0.000395284733 0.000125000006 3.95284733e-05",
                        1),
                // nowhere
                arguments(
                        """
                        {"rope_theta": 1000000.0, "max_position_embeddings": 131072, "rope_scaling": {"rope_type": "yarn", "factor":
                        4.0, "original_max_position_embeddings": 32768}}""",
                        "1 0.177827939 0.0316227786 0.00421755994 0.000500000024 4.44569851e-05 7.90569356e-06 1.40585337e-06",
                        1.138629436111989),
                arguments(
                        """
                        {"rope_theta": 10000.0, "rope_scaling": {"type": "yarn", "factor": 40, "mscale": 1.0, "mscale_all_dim": 0.8,
                        "beta_fast": 32, "beta_slow": 1, "original_max_position_embeddings": 4096}}""",
                        "1 0.316227764 0.100000001 0.0239147246 0.00512499968 0.000849862176 2.49999994e-05 7.90569447e-06",
                        1.0569662567531275),
                arguments(
                        """
                        {"rope_theta": 10000.0, "rope_scaling": {"type": "yarn", "factor": 8.0, "attention_factor": 1.25,
                        "beta_fast": 16, "beta_slow": 2, "truncate": false, "original_max_position_embeddings": 512}}""",
                        "1 0.316227764 0.0716084614 0.00732499827 0.00124999997 0.000395284733 0.000125000006 3.95284733e-05",
                        1.25),
                arguments(
                        """
                        {"rope_theta": 10000.0, "rope_scaling": {"type": "yarn", "factor": null, "original_max_position_embeddings":
                        256}}""",
                        "1 0.25693506 0.0625 0.0138349654 0.00249999994 0.000790569466 0.000250000012 7.90569466e-05",
                        1.138629436111989),
                arguments(
                        """
                        {"rope_theta": 10000.0, "original_max_position_embeddings": 512, "rope_scaling": {"type": "yarn", "factor":
                        2.0, "original_max_position_embeddings": 256}}""",
                        "1 0.276699275 0.075000003 0.0197642371 0.00499999989 0.00158113893 0.000500000024 0.000158113893",
                        1.0693147180559945),
                arguments(
                        """
                        {"rope_theta": 10000.0, "rope_scaling": {"type": "yarn", "factor": 2.0}}""",
                        "1 0.316227764 0.087500006 0.023717083 0.00624999963 0.00158113893 0.000500000024 0.000158113893",
                        1.0693147180559945));
    }

    @ParameterizedTest
    @MethodSource("configurations")
    void frequenciesAreThoseOfTransformers(String fields, String expected, double factor) throws IOException {
        ModelConfig config = read(fields);

        float[] frequencies = RotaryTables.frequencies(config);
        double[] wanted =
                Stream.of(expected.split(" ")).mapToDouble(Double::parseDouble).toArray();
        assertThat(frequencies).hasSize(wanted.length);
        for (int i = 0; i < wanted.length; i++) {
            assertThat((double) frequencies[i]).as("frequency %d", i).isCloseTo(wanted[i], TWO_UNITS_IN_THE_LAST_PLACE);
        }
        assertThat(config.ropeScaling().attentionFactor()).isCloseTo(factor, within(1e-12));
    }

    @Test
    void theAttentionFactorIsInTheTables() throws IOException {
        ModelConfig config = read("""
                {"rope_scaling": {"type": "yarn", "factor": 2.0, "attention_factor": 1.5}}""");

        try (var owner = Torch.start(1)) {
            RotaryTables tables = RotaryTables.of(owner, config, 3);
            assertThat(tables.cos().getFloat(0, 0)).isEqualTo(1.5f);
            assertThat(tables.sin().getFloat(2, 0)).isCloseTo((float) (1.5 * Math.sin(2)), within(1e-6f));
        }
    }
}
