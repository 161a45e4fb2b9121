package dev.rlvr.cli.image;

import com.google.cloud.tools.jib.api.ImageReference;
import com.google.cloud.tools.jib.api.InvalidImageReferenceException;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.JibContainerBuilder;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.TarImage;
import com.google.cloud.tools.jib.frontend.CredentialRetrieverFactory;
import dev.rlvr.cli.local.UserException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What an image stands on: something with a {@code java} 25 on its path, and glibc. */
public sealed interface BaseImage {
    /** The one that is taken unless another is asked for. */
    String DEFAULT = "eclipse-temurin:25-jre";

    /** An image in a registry; credentials come from where docker has them. */
    record InRegistry(ImageReference reference) implements BaseImage {}

    /** An image as {@code docker save} writes it. */
    record InTar(Path tar) implements BaseImage {}

    /**
     * The image that a word names: a file where there is one, or where it looks like one.
     *
     * @throws UserException if it is neither
     */
    static BaseImage of(String word) {
        Path file = Path.of(word);
        if (Files.isRegularFile(file)) {
            return new InTar(file);
        }
        if (word.endsWith(".tar")) {
            throw new UserException("--base: there is no file " + word);
        }
        try {
            return new InRegistry(ImageReference.parse(word));
        } catch (InvalidImageReferenceException e) {
            throw new UserException("--base: '" + word + "' is neither a file nor the name of an image");
        }
    }

    /** Its name for the labels of what is built on it: without folders, which are of this machine. */
    default String name() {
        return switch (this) {
            case InRegistry(ImageReference reference) -> reference.toString();
            case InTar(Path tar) -> tar.getFileName().toString();
        };
    }

    /** Begins an image on it. */
    default JibContainerBuilder from() {
        return switch (this) {
            case InRegistry(ImageReference reference) ->
                Jib.from(RegistryImage.named(reference)
                        .addCredentialRetriever(CredentialRetrieverFactory.forImage(reference, _ -> {})
                                .dockerConfig()));
            case InTar(Path tar) -> Jib.from(TarImage.at(tar));
        };
    }
}
