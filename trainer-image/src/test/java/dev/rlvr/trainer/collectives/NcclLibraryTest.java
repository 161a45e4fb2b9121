package dev.rlvr.trainer.collectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.rlvr.trainer.torch.CudaDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    /** What a compiler says of {@code nccl.h} 2.26.2: {@code e2e/nccl/header.c} prints it, and {@code check.sh} compares. */
    @Test
    void theStructsLieAsInTheHeader() {
        assertThat(NcclLibrary.ID.byteSize()).isEqualTo(128);
        assertThat(NcclLibrary.CONFIG.byteSize()).isEqualTo(48);
        List<String> fields = NcclLibrary.CONFIG.memberLayouts().stream()
                .map(MemoryLayout::name)
                .flatMap(Optional::stream)
                .map(name -> name + " " + NcclLibrary.CONFIG.byteOffset(PathElement.groupElement(name)))
                .toList();
        assertThat(fields)
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
                        "trafficClass 44");
        try (Arena arena = Arena.ofConfined()) {
            var bytes = NcclLibrary.nonBlocking(arena).toArray(java.lang.foreign.ValueLayout.JAVA_INT);
            int undefined = Integer.MIN_VALUE;
            assertThat(bytes)
                    .containsExactly(
                            48, 0, 0xcafebeef, 22602, 0, undefined, undefined, undefined, 0, 0, undefined, undefined);
        }
    }
}
