package dev.rlvr.e2e;

import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.fabric8.kubeapitest.KubeAPITestException;
import io.fabric8.kubeapitest.binary.Binaries;
import io.fabric8.kubeapitest.binary.BinaryManager;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Where the binaries come from when no folder has them: Go modules, else the archives that Kubernetes' own envtest uses. */
record KubeAssetsSource(Map<String, String> environment, Path cache, Consumer<String> say) {
    private static final String ETCD = "go.etcd.io/etcd/server/v3";
    private static final Map<String, String> PACKAGES = Map.of(
            "etcd", ETCD,
            "kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver",
            "kubectl", "k8s.io/kubernetes/cmd/kubectl");

    /** Fills the folder with the binaries, all or nothing: it appears by a rename. */
    void provide(Path folder) throws IOException {
        Optional<String> notBuilt = goCommand().map(go -> build(go, folder)).orElse(Optional.of("no 'go' on the PATH"));
        if (notBuilt.isEmpty()) {
            return;
        }
        Optional<String> notFetched = fetch(folder);
        if (notFetched.isPresent()) {
            throw new MissingKubeAssetsException(
                    """
                    The tests need etcd, kube-apiserver and kubectl of Kubernetes %s, and no way led to them:
                      build with Go: %s
                      fetch as envtest does: %s
                    Install Go 1.24 or newer (https://go.dev/dl) and try again, or put the three files into a folder and set %s to it.\
                    """.formatted(KubeAssets.VERSION, notBuilt.get(), notFetched.get(), KubeAssets.FOLDER_VARIABLE));
        }
    }

    private Optional<Path> goCommand() {
        return Stream.of(environment.getOrDefault("PATH", "").split(File.pathSeparator))
                .filter(entry -> !entry.isEmpty())
                .map(entry -> Path.of(entry, "go"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Builds the binaries; the reason if that failed. */
    private Optional<String> build(Path go, Path folder) {
        say.accept("Building etcd, kube-apiserver and kubectl %s for the tests into %s; once, about 7 CPU-minutes ..."
                .formatted(KubeAssets.VERSION, folder));
        try {
            Path scratch = Files.createTempDirectory(cache, KubeAssets.VERSION + ".building-");
            try {
                Path module = Files.createDirectory(scratch.resolve("module"));
                copyResource("go.mod", module);
                copyResource("go.sum", module);
                Path built = Files.createDirectory(scratch.resolve("bin"));
                // one after the other: etcd and the API server share most of what they compile
                for (String name : List.of("etcd", "kube-apiserver", "kubectl")) {
                    Optional<String> failure =
                            goBuild(go, module, built.resolve(name), PACKAGES.getOrDefault(name, ETCD));
                    if (failure.isPresent()) {
                        return failure;
                    }
                }
                try {
                    Files.move(built, folder, StandardCopyOption.ATOMIC_MOVE);
                } catch (FileSystemException e) {
                    // e2e/up builds the same binaries, and may have been faster
                    if (!KubeAssets.complete(folder)) {
                        throw e;
                    }
                }
                return Optional.empty();
            } finally {
                Folders.delete(scratch);
            }
        } catch (IOException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    private Optional<String> goBuild(Path go, Path module, Path output, String mainPackage) throws IOException {
        Path log = module.resolve("build.log");
        ProcessBuilder builder = new ProcessBuilder(
                        go.toString(),
                        "build",
                        "-trimpath",
                        "-ldflags",
                        linkerFlags(),
                        "-o",
                        output.toString(),
                        mainPackage)
                .directory(module.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        builder.environment().put("CGO_ENABLED", "0");
        Process process = builder.start();
        try {
            if (process.waitFor() == 0) {
                return Optional.empty();
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            return Optional.of("interrupted");
        }
        List<String> lines = Files.readAllLines(log);
        return Optional.of("go build " + mainPackage + " failed:\n"
                + String.join("\n", lines.subList(Math.max(0, lines.size() - 10), lines.size())));
    }

    /** Without these a server built from modules calls itself v0.0.0-master, and kubectl warns of a skew. */
    private static String linkerFlags() {
        String minor = KubeAssets.VERSION.substring("1.".length(), KubeAssets.VERSION.lastIndexOf('.'));
        StringBuilder flags = new StringBuilder("-s -w");
        for (String target : List.of("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")) {
            flags.append((" -X %1$s.gitVersion=v%2$s -X %1$s.gitMajor=1 -X %1$s.gitMinor=%3$s"
                            + " -X %1$s.gitCommit=none -X %1$s.gitTreeState=clean")
                    .formatted(target, KubeAssets.VERSION, minor));
        }
        return flags.toString();
    }

    private static void copyResource(String name, Path folder) throws IOException {
        try (InputStream in = KubeAssetsSource.class.getResourceAsStream("/META-INF/rlvr/kube/" + name)) {
            if (in == null) {
                throw new IOException("resource META-INF/rlvr/kube/" + name + " is missing from rlvr-e2e");
            }
            Files.copy(in, folder.resolve(name));
        }
    }

    /** Fetches the newest patch release of the same minor version; the reason if that failed. */
    private Optional<String> fetch(Path folder) throws IOException {
        String minor = KubeAssets.VERSION.substring(0, KubeAssets.VERSION.lastIndexOf('.'));
        say.accept("Fetching etcd, kube-apiserver and kubectl %s for the tests into %s ...".formatted(minor, folder));
        Path scratch = Files.createTempDirectory(cache, KubeAssets.VERSION + ".fetching-");
        try {
            BinaryManager manager = new BinaryManager(KubeAPIServerConfigBuilder.anAPIServerConfig()
                    .withTestDir(scratch.toString())
                    .withApiServerVersion(minor + ".*")
                    .withOfflineMode(false)
                    .build());
            manager.initAndDownloadIfRequired();
            Binaries binaries = manager.binaries();
            Path fetched = Files.createDirectory(scratch.resolve("bin"));
            for (File file : List.of(binaries.getEtcd(), binaries.getApiServer(), binaries.getKubectl())) {
                Files.move(file.toPath(), fetched.resolve(file.getName()));
            }
            if (!KubeAssets.complete(fetched)) {
                return Optional.of("the fetched archive lacks a binary");
            }
            Files.move(fetched, folder, StandardCopyOption.ATOMIC_MOVE);
            return Optional.empty();
        } catch (KubeAPITestException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        } finally {
            Folders.delete(scratch);
        }
    }
}
