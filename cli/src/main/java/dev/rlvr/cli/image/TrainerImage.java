package dev.rlvr.cli.image;

import dev.rlvr.cli.image.ImageContents.Layer;
import dev.rlvr.cli.local.TrainerProcess;
import dev.rlvr.cli.local.UserException;
import dev.rlvr.crds.TrainerEnvironment;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The trainer's image: a pod of it has a read-only root file system and perhaps no network, so DJL finds its libraries unpacked.
 *
 * @param classPath the trainer's classes and everything they need, as jars
 * @param bundled folder that {@code bundled://} sources are looked up in; only the quickstart's are taken
 * @param libtorch folder with the libraries of another libtorch of DJL's version, say one for CUDA
 * @param cache folder for what is unpacked
 */
public record TrainerImage(String classPath, Path bundled, Optional<OtherLibtorch> libtorch, Path cache) {
    private static final String PLATFORM = "linux-x86_64";
    private static final String LIBTORCH = ImageContents.ROOT + "libtorch";
    private static final String NCCL = LIBTORCH + "/libnccl.so.2";
    private static final String TOKENIZERS = ImageContents.ROOT + "tokenizers/libtokenizers.so";
    private static final String ARGUMENTS = ImageContents.ROOT + "trainer.args";

    /**
     * A libtorch that is not the one among our dependencies.
     *
     * @param folder with {@code libtorch.so} and what it needs
     * @param flavor as DJL calls it: {@code cpu}, {@code cu128}
     */
    public record OtherLibtorch(Path folder, String flavor) {}

    /**
     * What the image consists of.
     *
     * @throws UserException if the other libtorch is none, or DJL has no binding for its flavor
     */
    public ImageContents contents() throws IOException {
        Libraries libraries = new Libraries(cache);
        SortedMap<String, Path> torch = new TreeMap<>();
        SortedMap<String, Path> jars = new TreeMap<>();
        SortedMap<String, Path> ours = new TreeMap<>();
        List<String> order = new ArrayList<>();
        for (String entry : classPath.split(File.pathSeparator, -1)) {
            Path jar = Path.of(entry);
            String name = jar.getFileName().toString();
            if (name.startsWith("rlvr-")) {
                place(jar, ImageContents.ROOT + "app/" + name, ours, order);
                continue;
            }
            boolean unpacked = unpack(libraries, jar, name, torch);
            Path slim = libraries.without(jar, unpacked ? Libraries::isNative : Libraries::isForeign);
            place(slim, ImageContents.ROOT + "lib/" + name, jars, order);
        }
        ours.put(ARGUMENTS, arguments(order));
        return new ImageContents(
                "rlvr-trainer",
                "Trainer of RLVR jobs",
                List.of(
                        new Layer("native libraries", torch),
                        new Layer("jars", jars),
                        new Layer("quickstart", bundledFiles()),
                        new Layer("trainer", ours)),
                List.of("@" + ARGUMENTS),
                environment(torch.containsKey(NCCL)),
                ImageContents.noPorts());
    }

    private static void place(Path jar, String path, SortedMap<String, Path> layer, List<String> order) {
        layer.put(path, jar);
        order.add(path);
    }

    /** Takes the native libraries of one of DJL's jars out of it; whether it is one. */
    private boolean unpack(Libraries libraries, Path jar, String name, SortedMap<String, Path> files)
            throws IOException {
        if (name.startsWith("pytorch-native-")) {
            if (libtorch.isPresent()) {
                files.putAll(other(libtorch.get().folder()));
            } else {
                for (String entry : Libraries.entries(jar, "pytorch/cpu/" + PLATFORM + "/")) {
                    files.put(LIBTORCH + entry.substring(entry.lastIndexOf('/')), libraries.unpacked(jar, entry));
                }
            }
            return true;
        }
        if (name.startsWith("pytorch-jni-")) {
            String entry = "jnilib/" + PLATFORM + "/" + flavor() + "/libdjl_torch.so";
            List<String> bindings = Libraries.entries(jar, "jnilib/" + PLATFORM);
            if (!bindings.contains(entry)) {
                throw new UserException("--flavor: DJL has no binding for " + flavor() + " but for these: "
                        + String.join(", ", bindings));
            }
            files.put(LIBTORCH + "/libdjl_torch.so", libraries.unpacked(jar, entry));
            return true;
        }
        if (name.startsWith("tokenizers-")) {
            String entry = "native/lib/" + PLATFORM + "/cpu/libtokenizers.so";
            files.put(TOKENIZERS, libraries.unpacked(jar, entry));
            return true;
        }
        return false;
    }

    private String flavor() {
        return libtorch.map(OtherLibtorch::flavor).orElse("cpu");
    }

    private static SortedMap<String, Path> other(Path folder) throws IOException {
        if (!Files.exists(folder.resolve("libtorch.so"))) {
            throw new UserException("--libtorch: there is no libtorch.so in " + folder
                    + "; name the folder 'lib' of an unpacked libtorch");
        }
        SortedMap<String, Path> files = new TreeMap<>();
        try (Stream<Path> libraries = Files.list(folder)) {
            libraries
                    .filter(file -> file.getFileName().toString().contains(".so"))
                    .forEach(file -> files.put(LIBTORCH + "/" + file.getFileName(), file));
        }
        return files;
    }

    private SortedMap<String, Path> bundledFiles() throws IOException {
        SortedMap<String, Path> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(bundled.resolve("quickstart"))) {
            all.filter(Files::isRegularFile)
                    .forEach(file -> files.put(
                            ImageContents.ROOT + "bundled/"
                                    + bundled.relativize(file).toString().replace(File.separatorChar, '/'),
                            file));
        }
        return files;
    }

    /** Where DJL and the trainer find what is unpacked; variables, since a pod that brings another libtorch says so by the same ones. */
    private SortedMap<String, String> environment(boolean nccl) {
        SortedMap<String, String> variables = new TreeMap<>(Map.of(
                "OPT_OUT_TRACKING",
                "true",
                "PYTORCH_LIBRARY_PATH",
                LIBTORCH,
                "PYTORCH_FLAVOR",
                flavor(),
                // the file, since DJL 0.35.1 stumbles over a folder where there is no GPU
                "RUST_LIBRARY_PATH",
                TOKENIZERS));
        if (nccl) {
            variables.put("RLVR_NCCL", NCCL);
        }
        return variables;
    }

    /** What {@code java} is started with: in a file, so that ranks and people can start it in the same way. */
    private Path arguments(List<String> jars) throws IOException {
        List<String> words = new ArrayList<>(TrainerEnvironment.jvm());
        words.addAll(List.of("-cp", String.join(":", jars), TrainerProcess.MAIN_CLASS));
        Files.createDirectories(cache);
        return Files.write(cache.resolve("trainer.args"), words);
    }
}
