package dev.rlvr.trainer.collectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.rlvr.trainer.torch.CudaDriver;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The real NCCL, as far as it goes without a GPU; {@code e2e/nccl/check.sh} fetches it. */
class NcclLibraryTest {
    private static NcclLibrary real() throws NcclLibrary.MissingException {
        assumeTrue(System.getenv(NcclLibrary.SETTING) != null, "RLVR_NCCL names no libnccl.so.2");
        return NcclLibrary.load(System.getenv());
    }

    @Test
    void itLoadsAndHasTheVersionThatTheStructIsOf() throws Exception {
        assertThat(real().version()).isGreaterThanOrEqualTo(NcclLibrary.LEAST_VERSION);
    }

    @Test
    void noTwoIdsAreTheSame() throws Exception {
        NcclLibrary library = real();
        assertThat(library.uniqueId()).hasSize(128).isNotEqualTo(library.uniqueId());
    }

    @ParameterizedTest
    @CsvSource({
        "0, no error",
        "1, unhandled cuda error (run with NCCL_DEBUG=INFO for details)",
        "4, invalid argument (run with NCCL_DEBUG=WARN for details)",
        "5, invalid usage (run with NCCL_DEBUG=WARN for details)",
        "6, remote process exited or there was a network error",
        "7, NCCL operation in progress"
    })
    void statusesMeanWhatTheyAreTakenFor(int status, String words) throws Exception {
        assertThat(real().words(status)).isEqualTo(words);
    }

    @Test
    void withoutADriverNoCommunicatorIsMadeAndNcclSaysWhy() throws Exception {
        NcclLibrary library = real();
        assumeTrue(CudaDriver.load(CudaDriver.LIBRARY).isEmpty(), "there is a driver here");
        NcclLibrary.Begun begun = library.begin(library.uniqueId(), 0, 1);

        assertThat(begun.status()).isEqualTo(1);
        assertThat(library.words(begun.status())).startsWith("unhandled cuda error");
    }

    @Test
    void aMissingLibraryIsNamedWithWhereItWasLookedForAndWhatToInstall() {
        assertThatThrownBy(() -> NcclLibrary.load(Map.of("RLVR_NCCL", "/nowhere/libnccl.so.2")))
                .isInstanceOf(NcclLibrary.MissingException.class)
                .hasMessageContainingAll(
                        "looked for /nowhere/libnccl.so.2 (RLVR_NCCL)",
                        "install NCCL 2.26.2 or later for CUDA 12",
                        "nvidia-nccl-cu12");
    }

    private static List<String> layout() {
        List<String> lines = new ArrayList<>();
        for (MemoryLayout field : NcclLibrary.CONFIG.memberLayouts()) {
            String name = field.name().orElseThrow();
            lines.add(name + " " + NcclLibrary.offset(name));
        }
        try (Arena arena = Arena.ofConfined()) {
            StringBuilder bytes = new StringBuilder("bytes");
            for (byte value : NcclLibrary.nonBlocking(arena).toArray(ValueLayout.JAVA_BYTE)) {
                bytes.append(' ').append(value);
            }
            lines.add(bytes.toString());
        }
        return lines;
    }

    @Test
    void theConfigurationIsByteForByteWhatACompilerMakesOfTheHeader() throws IOException {
        String file = System.getenv("RLVR_NCCL_LAYOUT");
        assumeTrue(file != null, "RLVR_NCCL_LAYOUT names no output of e2e/nccl/header.c");

        assertThat(layout()).isEqualTo(Files.readAllLines(Path.of(file)));
    }

    /** What the test above has found once, for where there is no compiler. */
    @Test
    void theStructsLieAsInTheHeader() {
        assertThat(NcclLibrary.ID.byteSize()).isEqualTo(128);
        assertThat(layout())
                .containsExactly(
                        "size 0",
                        "magic 8",
                        "version 12",
                        "blocking 16",
                        "cgaClusterSize 20",
                        "minCTAs 24",
                        "maxCTAs 28",
                        "netName 32",
                        "splitShare 40",
                        "trafficClass 44",
                        "bytes 48 0 0 0 0 0 0 0 -17 -66 -2 -54 74 88 0 0 0 0 0 0 0 0 0 -128 0 0 0 -128 0 0 0 -128"
                                + " 0 0 0 0 0 0 0 0 0 0 0 -128 0 0 0 -128");
    }
}
