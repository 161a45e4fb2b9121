package dev.rlvr.cli;

import dev.rlvr.cli.image.BaseImage;
import dev.rlvr.cli.image.ImageContents;
import dev.rlvr.cli.image.ImageTar;
import dev.rlvr.cli.image.OperatorImage;
import dev.rlvr.cli.image.Revision;
import dev.rlvr.cli.image.TrainerImage;
import dev.rlvr.cli.image.TrainerImage.OtherLibtorch;
import dev.rlvr.cli.local.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "image",
        description = "Build the container images of trainer and operator, without a container engine.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The tars are for 'ctr images import', 'docker load', 'podman load' and 'kind load image-archive'.",
            "Example:  ./rlvr image --output images"
        })
final class ImageCommand implements Callable<Integer> {
    /** The images that there are. */
    enum Image {
        TRAINER,
        OPERATOR;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description = "Folder for rlvr-trainer.tar and rlvr-operator.tar.")
    private Path output = Path.of("");

    @Option(
            names = "--base",
            paramLabel = "NAME|TAR",
            description =
                    "Image with Java 25 to build on: its name in a registry, or a tar. Default: " + BaseImage.DEFAULT)
    private @Nullable String base;

    @Option(names = "--only", paramLabel = "IMAGE", description = "One of: ${COMPLETION-CANDIDATES}. Default: both.")
    private @Nullable Image only;

    @Option(
            names = "--repository",
            paramLabel = "PREFIX",
            description = "What goes before the images' names, for example ghcr.io/acme. Default: nothing.")
    private @Nullable String repository;

    @Option(
            names = "--libtorch",
            paramLabel = "DIR",
            description = "Folder 'lib' of another libtorch of the same version for the trainer, say one for CUDA.")
    private @Nullable Path libtorch;

    @Option(names = "--flavor", paramLabel = "NAME", description = "What --libtorch is built for, for example cu128.")
    private @Nullable String flavor;

    @Option(
            names = "--folders",
            description = "Write folders with what goes on the base image, not tars: for the Containerfiles.")
    private boolean folders;

    @Override
    public Integer call() throws IOException, InterruptedException {
        refuseWhatHasNoEffect();
        Checkout checkout = Checkout.current();
        Path cache = checkout.userHome().resolve(".cache/rlvr/images");
        BaseImage on = BaseImage.of(base == null ? BaseImage.DEFAULT : base);
        Revision revision = Revision.of(VersionCommand.project(), checkout.root());
        Files.createDirectories(output);
        for (ImageContents contents : contents(checkout, revision, cache)) {
            if (folders) {
                Path folder = output.resolve(contents.name());
                contents.copyTo(folder);
                System.out.println(folder);
                continue;
            }
            Path tar = output.resolve(contents.name() + ".tar");
            String id = new ImageTar(on, revision, prefix(), cache, System.err::println).write(contents, tar);
            System.out.printf(
                    Locale.ROOT,
                    "%s  %s%s:%s  %.0f MB  %s%n",
                    tar,
                    prefix(),
                    contents.name(),
                    revision.version(),
                    Files.size(tar) / 1e6,
                    id);
        }
        return 0;
    }

    private void refuseWhatHasNoEffect() {
        if ((libtorch == null) != (flavor == null)) {
            throw new UserException("--libtorch and --flavor go together: the folder, and what it is built for");
        }
        if (libtorch != null && only == Image.OPERATOR) {
            throw new UserException("--libtorch: the operator has none; leave out --only operator");
        }
        if (folders && (base != null || repository != null)) {
            throw new UserException("--folders: --base and --repository have no effect with it; leave them out");
        }
    }

    private String prefix() {
        return repository == null ? "" : repository.replaceAll("/*$", "") + "/";
    }

    private List<ImageContents> contents(Checkout checkout, Revision revision, Path cache) throws IOException {
        List<ImageContents> wanted = new ArrayList<>();
        if (only != Image.OPERATOR) {
            Optional<OtherLibtorch> other = libtorch == null || flavor == null
                    ? Optional.empty()
                    : Optional.of(new OtherLibtorch(libtorch, flavor));
            wanted.add(new TrainerImage(
                            checkout.trainer().classPath(),
                            checkout.root().resolve("examples"),
                            other,
                            cache.resolve("unpacked"))
                    .contents());
        }
        if (only != Image.TRAINER) {
            wanted.add(new OperatorImage(
                            checkout.operator().getParent(),
                            checkout.root().resolve("operator/deploy/jvm.options"),
                            revision.commit(),
                            cache.resolve("unpacked"))
                    .contents());
        }
        return wanted;
    }
}
