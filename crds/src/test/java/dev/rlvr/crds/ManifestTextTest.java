package dev.rlvr.crds;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A plain scalar means what it means to kubectl; the right column is what {@code kubectl label --local -o json} prints. */
class ManifestTextTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    1e-6      | 1.0E-6
                    2.0E-4    | 2.0E-4
                    1.        | 1.0
                    .5        | 0.5
                    +7        | 7
                    1_000     | 1000
                    0x10      | 16
                    010       | 8
                    0o17      | 15
                    0b11      | 3
                    08        | 8.0
                    -0x10     | -16
                    1:30      | "1:30"
                    2026-01-01 | "2026-01-01"
                    10Gi      | "10Gi"
                    1h30m     | "1h30m"
                    yes       | true
                    Off       | false
                    tRUE      | "tRUE"
                    ~         | null
                    NULL      | null
                    '1e-6'    | "1e-6"
                    "true"    | "true"
                    9223372036854775807 | 9223372036854775807
                    9223372036854775808 | 9.223372036854776E18
                    """)
    void scalarsAreReadAsKubernetesReadsThem(String scalar, String json) {
        assertThat(ManifestText.parse("a: " + scalar, "x").get("a").toString()).isEqualTo(json);
    }

    @Test
    void anchorsAliasesAndMergeKeysAreResolved() {
        String text = """
                base: &base {steps: 10, seed: 1}
                same: *base
                more: {<<: *base, seed: 2}
                """;

        assertThat(ManifestText.parse(text, "x").toString())
                .isEqualTo("{\"base\":{\"steps\":10,\"seed\":1},\"same\":{\"steps\":10,\"seed\":1},"
                        + "\"more\":{\"steps\":10,\"seed\":2}}");
    }

    @Test
    void emptyDocumentsAroundTheManifestDoNotCount() {
        assertThat(ManifestText.parse("---\n# a comment\n---\na: 1\n---\n", "x").toString())
                .isEqualTo("{\"a\":1}");
    }
}
