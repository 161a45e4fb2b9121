package dev.rlvr.crds;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The committed CRD is the generated one; {@code -Dcrd.write=true} writes it anew. */
class CrdFileTest {
    private static final Path FILE = Path.of("rlvrjobs.rlvr.dev-v1.yaml");

    @Test
    void theCommittedFileIsTheGeneratedOne() throws IOException {
        String generated = GeneratedCrd.yaml();
        if (Boolean.getBoolean("crd.write")) {
            Files.writeString(FILE, generated);
        }
        assertThat(Files.readString(FILE)).isEqualTo(generated);
    }

    @Test
    void itStaysUnderHalfOfWhatClientSideApplyCanStore() throws IOException {
        assertThat(Files.size(FILE)).isLessThan(128 * 1024);
    }
}
