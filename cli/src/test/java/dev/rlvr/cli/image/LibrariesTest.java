package dev.rlvr.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LibrariesTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "native/lib/linux-x86_64/cpu/libtokenizers.so, false",
        "native/lib/linux-aarch64/cpu/libtokenizers.so, true",
        "linux/amd64/libzstd-jni-1.5.7-3.so, false",
        "linux/i386/libzstd-jni-1.5.7-3.so, true",
        "org/xerial/snappy/native/Linux/x86_64/libsnappyjava.so, false",
        "org/xerial/snappy/native/Mac/x86_64/libsnappyjava.dylib, true",
        "com/sun/jna/linux-x86-64/libjnidispatch.so, false",
        "com/sun/jna/win32-x86-64/jnidispatch.dll, true",
        "native/lib/tokenizers.properties, false",
        "com/sun/jna/Native.class, false"
    })
    void onlyLibrariesOfOtherMachinesAreLeftOut(String entry, boolean foreign) {
        assertThat(Libraries.isForeign(entry)).isEqualTo(foreign);
    }

    @Test
    void aJarWithoutThemHasEverythingElseAndTheSameBytesEachTime() throws IOException {
        Path jar = jar("a-1.jar", "A.class", "linux-aarch64/liba.so", "linux-x86_64/liba.so");

        Path slim = new Libraries(folder.resolve("one")).without(jar, Libraries::isForeign);
        Path again = new Libraries(folder.resolve("two")).without(jar, Libraries::isForeign);

        assertThat(entries(slim)).containsExactly("A.class", "linux-x86_64/liba.so");
        assertThat(again).hasSameBinaryContentAs(slim);
    }

    @Test
    void aJarThatHasNoneIsTakenAsItIs() throws IOException {
        Path jar = jar("b-1.jar", "B.class");

        assertThat(new Libraries(folder.resolve("cache")).without(jar, Libraries::isForeign))
                .isEqualTo(jar);
    }

    @Test
    void aLibraryIsUnpackedOnceAndAgainWhereItIsTorn() throws IOException {
        Path jar = jar("c-1.jar", "linux-x86_64/libc.so");
        Libraries libraries = new Libraries(folder.resolve("cache"));
        Path unpacked = libraries.unpacked(jar, "linux-x86_64/libc.so");
        assertThat(unpacked).hasContent("linux-x86_64/libc.so");

        Files.writeString(unpacked, "torn");

        assertThat(libraries.unpacked(jar, "linux-x86_64/libc.so"))
                .isEqualTo(unpacked)
                .hasContent("linux-x86_64/libc.so");
    }

    /** Each entry holds its own name. */
    private Path jar(String name, String... entries) throws IOException {
        Path jar = folder.resolve(name);
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            for (String entry : entries) {
                out.putNextEntry(new ZipEntry(entry));
                out.write(entry.getBytes(StandardCharsets.UTF_8));
                out.closeEntry();
            }
        }
        return jar;
    }

    private static List<String> entries(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            return zip.stream().map(entry -> entry.getName()).toList();
        }
    }
}
