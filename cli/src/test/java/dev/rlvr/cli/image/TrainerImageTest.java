package dev.rlvr.cli.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rlvr.cli.image.TrainerImage.OtherLibtorch;
import dev.rlvr.cli.local.UserException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerImageTest {
    @TempDir
    Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectories(folder.resolve("examples/quickstart"));
        Files.writeString(folder.resolve("examples/quickstart/rlvrjob.yaml"), "");
        Files.createDirectories(folder.resolve("lib"));
        Files.writeString(folder.resolve("lib/libtorch_cuda.so"), "");
        Files.writeString(folder.resolve("lib/NOTICE"), "");
    }

    @Test
    void aLibtorchForCudaIsTakenWithTheNcclBesideIt() throws IOException {
        Files.writeString(folder.resolve("lib/libtorch.so"), "");
        Files.writeString(folder.resolve("lib/libnccl.so.2"), "");

        ImageContents contents = image(new OtherLibtorch(folder.resolve("lib"), "cu128"));

        assertThat(contents.layers().getFirst().files())
                .containsOnlyKeys(
                        "/opt/rlvr/libtorch/libdjl_torch.so",
                        "/opt/rlvr/libtorch/libnccl.so.2",
                        "/opt/rlvr/libtorch/libtorch.so",
                        "/opt/rlvr/libtorch/libtorch_cuda.so");
        assertThat(contents.environment())
                .containsEntry("PYTORCH_FLAVOR", "cu128")
                .containsEntry("RLVR_NCCL", "/opt/rlvr/libtorch/libnccl.so.2");
    }

    @Test
    void whereThereIsNoNcclNoneIsNamed() throws IOException {
        Files.writeString(folder.resolve("lib/libtorch.so"), "");

        assertThat(image(new OtherLibtorch(folder.resolve("lib"), "cu128")).environment())
                .doesNotContainKey("RLVR_NCCL");
    }

    @Test
    void aFolderThatIsNoLibtorchAndAFlavorThatHasNoBindingAreRefused() throws IOException {
        assertThatThrownBy(() -> image(new OtherLibtorch(folder.resolve("lib"), "cu128")))
                .isInstanceOf(UserException.class)
                .hasMessageStartingWith("--libtorch: there is no libtorch.so in");

        Files.writeString(folder.resolve("lib/libtorch.so"), "");
        assertThatThrownBy(() -> image(new OtherLibtorch(folder.resolve("lib"), "cu99")))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("--flavor: DJL has no binding for cu99")
                .hasMessageContaining("cu128");
    }

    private ImageContents image(OtherLibtorch libtorch) throws IOException {
        String classPath = Stream.of(
                        jar("rlvr-trainer.jar", "A.class"),
                        jar("pytorch-native-cpu-2.jar", "pytorch/cpu/linux-x86_64/libtorch.so"),
                        jar("pytorch-jni-2.jar", "jnilib/linux-x86_64/cu128/libdjl_torch.so"))
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator));
        return new TrainerImage(classPath, folder.resolve("examples"), Optional.of(libtorch), folder.resolve("cache"))
                .contents();
    }

    private Path jar(String name, String entry) throws IOException {
        Path jar = folder.resolve(name);
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry(entry));
            out.closeEntry();
        }
        return jar;
    }
}
