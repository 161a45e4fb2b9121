package dev.rlvr.cli.image;

import com.google.cloud.tools.jib.api.CacheDirectoryCreationException;
import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.ImageReference;
import com.google.cloud.tools.jib.api.JibContainer;
import com.google.cloud.tools.jib.api.JibContainerBuilder;
import com.google.cloud.tools.jib.api.LogEvent;
import com.google.cloud.tools.jib.api.RegistryException;
import com.google.cloud.tools.jib.api.TarImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import com.google.cloud.tools.jib.api.buildplan.FileEntriesLayer;
import com.google.cloud.tools.jib.api.buildplan.Port;
import dev.rlvr.cli.image.ImageContents.Layer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/**
 * Writes images as tars that {@code ctr images import}, {@code docker load}, {@code podman load} and {@code kind load image-archive} take.
 * The same contents give the same bytes.
 *
 * @param base what they stand on
 * @param revision what they are built from; also their creation time
 * @param repository what goes before their names, such as {@code ghcr.io/acme/}, or nothing
 * @param cache folder of layers that are compressed already
 * @param warn gets a line about what a person should know
 */
public record ImageTar(BaseImage base, Revision revision, String repository, Path cache, Consumer<String> warn) {
    /** User and group of the process: any but root; the operator's pods and the chart name the same. */
    private static final String NOBODY = "65532:65532";

    /**
     * Writes one image.
     *
     * @return digest of its configuration: what container engines call its ID
     * @throws IOException if the base image cannot be had or the tar not be written
     */
    public String write(ImageContents contents, Path tar) throws IOException, InterruptedException {
        List<String> entrypoint = new ArrayList<>(List.of("java"));
        entrypoint.addAll(contents.arguments());
        JibContainerBuilder image = base.from()
                .setCreationTime(revision.time())
                .setUser(NOBODY)
                .setEntrypoint(entrypoint)
                .setEnvironment(contents.environment())
                .setProgramArguments(List.of())
                .setLabels(revision.labels(contents, base.name()));
        contents.ports().forEach(port -> image.addExposedPort(Port.tcp(port)));
        for (Layer layer : contents.layers()) {
            FileEntriesLayer.Builder files = FileEntriesLayer.builder().setName(layer.name());
            layer.files().forEach((path, file) -> files.addEntry(file, AbsoluteUnixPath.get(path)));
            image.addFileEntriesLayer(files.build());
        }
        try {
            JibContainer written = image.containerize(to(contents, tar));
            return written.getImageId().toString();
        } catch (RegistryException | CacheDirectoryCreationException e) {
            throw new IOException(noBase(e), e);
        } catch (ExecutionException e) {
            throw new IOException(noBase(e.getCause()), e);
        }
    }

    private String noBase(Throwable why) {
        return "cannot build on " + base.name() + ": " + why;
    }

    private Containerizer to(ImageContents contents, Path tar) {
        ImageReference name = ImageReference.of("docker.io", repository + contents.name(), "latest");
        return Containerizer.to(TarImage.at(tar).named(name))
                .withAdditionalTag(revision.version())
                .setBaseImageLayersCache(cache.resolve("base"))
                .setApplicationLayersCache(cache.resolve("layers"))
                .setOfflineMode(base instanceof BaseImage.InTar)
                .setToolName("rlvr")
                .setToolVersion(revision.version())
                .addEventHandler(LogEvent.class, event -> {
                    if (event.getLevel() == LogEvent.Level.WARN || event.getLevel() == LogEvent.Level.ERROR) {
                        warn.accept(event.getMessage());
                    }
                });
    }
}
