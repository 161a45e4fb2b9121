package dev.rlvr.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The server binaries of the Kubernetes release that tests run against.
 *
 * @param etcd the key-value store
 * @param apiServer kube-apiserver
 * @param kubectl the command-line client of the same release
 */
public record KubeAssets(Path etcd, Path apiServer, Path kubectl) {
    /** The Kubernetes release; {@code e2e/kube/go.mod} pins the same one. */
    public static final String VERSION = "1.34.4";

    /** Environment variable that names a folder with the three binaries. */
    public static final String FOLDER_VARIABLE = "RLVR_KUBE_ASSETS";

    private static final List<String> NAMES = List.of("etcd", "kube-apiserver", "kubectl");

    /** Finds the binaries as {@link #find(Map, Path, Consumer)} does, with this process's environment and home; speaks on standard error. */
    public static KubeAssets find() {
        return find(System.getenv(), Path.of(System.getProperty("user.home")), System.err::println);
    }

    /**
     * Finds the binaries in the folder that {@code RLVR_KUBE_ASSETS} names, else in the cache under the home folder, else builds them there
     * with Go, else has Fabric8 fetch them.
     *
     * @param environment the process's environment
     * @param home folder that holds {@code .cache}
     * @param say gets one line before something that takes minutes
     * @throws MissingKubeAssetsException if none of the ways leads to all three
     */
    public static KubeAssets find(Map<String, String> environment, Path home, Consumer<String> say) {
        String named = environment.getOrDefault(FOLDER_VARIABLE, "");
        if (!named.isEmpty()) {
            Path folder = Path.of(named);
            if (!complete(folder)) {
                throw new MissingKubeAssetsException(
                        "%s=%s has not all of %s as executable files; put them there (Kubernetes"
                                        .formatted(FOLDER_VARIABLE, named, String.join(", ", NAMES))
                                + " " + VERSION + "), or unset the variable to have them built or fetched");
            }
            return in(folder);
        }
        return cached(environment, home.resolve(".cache/rlvr/kube"), say);
    }

    private static synchronized KubeAssets cached(Map<String, String> environment, Path cache, Consumer<String> say) {
        Path folder = cache.resolve(VERSION);
        if (complete(folder)) {
            return in(folder);
        }
        try {
            Files.createDirectories(cache);
            try (FileChannel channel = FileChannel.open(
                            cache.resolve(VERSION + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                if (lock.isValid() && complete(folder)) {
                    return in(folder);
                }
                new KubeAssetsSource(environment, cache, say).provide(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the cache of Kubernetes binaries at " + cache, e);
        }
        return in(folder);
    }

    static boolean complete(Path folder) {
        return NAMES.stream().allMatch(name -> Files.isExecutable(folder.resolve(name)));
    }

    private static KubeAssets in(Path folder) {
        Path absolute = folder.toAbsolutePath();
        return new KubeAssets(
                absolute.resolve("etcd"), absolute.resolve("kube-apiserver"), absolute.resolve("kubectl"));
    }
}
