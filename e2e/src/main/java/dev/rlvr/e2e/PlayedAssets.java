package dev.rlvr.e2e;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The binaries of a {@link PlayedNodes}; {@code e2e/node/binaries.sh VERSION played} builds them and prints their folders.
 *
 * @param servers etcd, kube-apiserver and kubectl
 * @param controllerManager kube-controller-manager
 * @param scheduler kube-scheduler
 * @param kwok the controller that plays kubelets
 */
public record PlayedAssets(KubeAssets servers, Path controllerManager, Path scheduler, Path kwok) {
    /**
     * Finds each in the folders of a PATH.
     *
     * @throws MissingKubeAssetsException if one of them is not there
     */
    public static PlayedAssets on(String path) {
        return new PlayedAssets(
                new KubeAssets(find("etcd", path), find("kube-apiserver", path), find("kubectl", path)),
                find("kube-controller-manager", path),
                find("kube-scheduler", path),
                find("kwok", path));
    }

    private static Path find(String name, String path) {
        return Arrays.stream(path.split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name).toAbsolutePath())
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new MissingKubeAssetsException(
                        name + " is in none of the folders " + path + "; e2e/node/binaries.sh 1.34 played builds it"));
    }
}
