package dev.rlvr.cli.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What an image has above its base image.
 *
 * @param name of the image, without registry and tag
 * @param title for people
 * @param layers from the one that changes least to the one that changes most
 * @param arguments of {@code java}; the user's follow
 * @param environment which a pod's own may override
 * @param ports that it listens on
 */
public record ImageContents(
        String name,
        String title,
        List<Layer> layers,
        List<String> arguments,
        SortedMap<String, String> environment,
        SortedSet<Integer> ports) {
    /** Where everything of ours is in an image. */
    static final String ROOT = "/opt/rlvr/";

    /**
     * Files that change together.
     *
     * @param name for people
     * @param files absolute path in the image to the file on this machine
     */
    public record Layer(String name, SortedMap<String, Path> files) {}

    static SortedSet<Integer> noPorts() {
        return new TreeSet<>();
    }

    /** Copies the files to a folder, as they lie below the image's root: for builds that take them from there. */
    public void copyTo(Path root) throws IOException {
        for (Layer layer : layers) {
            for (Map.Entry<String, Path> file : layer.files().entrySet()) {
                Path target = root.resolve(file.getKey().substring(1));
                Files.createDirectories(target.getParent());
                Files.copy(file.getValue(), target, StandardCopyOption.REPLACE_EXISTING);
                // as in a tar of ours: whoever it runs as must be able to read it
                Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-r--r--"));
            }
        }
    }
}
