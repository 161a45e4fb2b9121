package dev.rlvr.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KubeAssetsTest {
    @TempDir
    Path folder;

    private final List<String> said = new ArrayList<>();

    @Test
    void aNamedFolderIsUsedAsItIs() throws IOException {
        putBinaries(folder);
        KubeAssets assets = KubeAssets.find(Map.of(KubeAssets.FOLDER_VARIABLE, folder.toString()), folder, said::add);
        assertThat(assets.apiServer()).isEqualTo(folder.resolve("kube-apiserver"));
        assertThat(said).isEmpty();
    }

    @Test
    void aNamedFolderWithoutTheBinariesIsAnErrorThatNamesThem() {
        assertThatThrownBy(
                        () -> KubeAssets.find(Map.of(KubeAssets.FOLDER_VARIABLE, folder.toString()), folder, said::add))
                .isInstanceOf(MissingKubeAssetsException.class)
                .hasMessageContaining(KubeAssets.FOLDER_VARIABLE + "=" + folder)
                .hasMessageContaining("etcd, kube-apiserver, kubectl");
    }

    @Test
    void whatWasBuiltOnceIsTakenFromTheCache() throws IOException {
        Path cached = folder.resolve(".cache/rlvr/kube/" + KubeAssets.VERSION);
        putBinaries(cached);
        KubeAssets assets = KubeAssets.find(Map.of(), folder, said::add);
        assertThat(assets.etcd()).isEqualTo(cached.resolve("etcd"));
        assertThat(said).isEmpty();
    }

    @Test
    void aGoThatBuildsFillsTheCacheAndSaysSoBefore() throws IOException {
        Path go = script("go", "#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done\n: > \"$2\"; chmod +x \"$2\"\n");
        KubeAssets assets =
                KubeAssets.find(Map.of("PATH", go.getParent() + ":" + System.getenv("PATH")), folder, said::add);
        assertThat(assets.kubectl()).isExecutable();
        assertThat(said).singleElement().asString().startsWith("Building etcd, kube-apiserver and kubectl");
        assertThat(folder.resolve(".cache/rlvr/kube"))
                .isDirectoryContaining(entry -> entry.endsWith(KubeAssets.VERSION))
                .isDirectoryNotContaining(entry -> entry.toString().contains("building"));
    }

    @Test
    void whatSomebodyElseBuiltMeanwhileIsTaken() throws IOException {
        Path cached = folder.resolve(".cache/rlvr/kube/" + KubeAssets.VERSION);
        Path go = script("go", """
            #!/bin/sh
            while [ "$1" != -o ]; do shift; done
            mkdir -p %1$s
            for file in "$2" %1$s/etcd %1$s/kube-apiserver %1$s/kubectl; do echo of $PPID > "$file"; chmod +x "$file"; done
            """.formatted(cached));
        KubeAssets assets =
                KubeAssets.find(Map.of("PATH", go.getParent() + ":" + System.getenv("PATH")), folder, said::add);
        assertThat(assets.kubectl()).isEqualTo(cached.resolve("kubectl"));
        assertThat(said).hasSize(1);
    }

    private static void putBinaries(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String name : List.of("etcd", "kube-apiserver", "kubectl")) {
            assertThat(Files.createFile(folder.resolve(name)).toFile().setExecutable(true))
                    .isTrue();
        }
    }

    private Path script(String name, String text) throws IOException {
        Path bin = Files.createDirectory(folder.resolve("bin"));
        Path script = Files.writeString(bin.resolve(name), text);
        assertThat(script.toFile().setExecutable(true)).isTrue();
        return script;
    }
}
