package dev.rlvr.trainer.data;

import dev.rlvr.crds.Source.Dataset;
import dev.rlvr.trainer.hub.HubCache;
import dev.rlvr.trainer.hub.HuggingFaceHub;
import dev.rlvr.trainer.hub.Pins;
import dev.rlvr.trainer.hub.Repository;
import dev.rlvr.trainer.hub.Repository.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** Finds what {@code hf://} sources name. */
sealed interface HubSources {
    /** The folder of a model. */
    Path model(String name, String revision);

    /** A file of a data set. */
    Path file(Dataset dataset);

    /** Where somebody has fetched before, his cache; else the hub itself. */
    static HubSources of(Map<String, String> environment) {
        HubCache cache = HubCache.of(environment);
        return Optional.ofNullable(environment.get("RLVR_SOURCES"))
                .<HubSources>map(file -> new Fetched(Path.of(file), cache))
                .orElseGet(() -> new Online(HuggingFaceHub.of(environment, cache)));
    }

    /** Asks the hub and downloads. */
    record Online(HuggingFaceHub hub) implements HubSources {
        @Override
        public Path model(String name, String revision) {
            Repository repository = new Repository(Kind.MODELS, name);
            return hub.model(repository, hub.commit(repository, revision));
        }

        @Override
        public Path file(Dataset dataset) {
            Repository repository = new Repository(Kind.DATASETS, dataset.repository());
            return hub.file(repository, hub.commit(repository, dataset.revision()), dataset.path());
        }
    }

    /**
     * Takes what was fetched, and needs neither hub nor token.
     *
     * @param file of the {@link Pins}
     */
    record Fetched(Path file, HubCache cache) implements HubSources {
        @Override
        public Path model(String name, String revision) {
            Repository repository = new Repository(Kind.MODELS, name);
            return cache.model(repository, commit(repository, revision)).orElseThrow(() -> gone(repository));
        }

        @Override
        public Path file(Dataset dataset) {
            Repository repository = new Repository(Kind.DATASETS, dataset.repository());
            return cache.file(repository, commit(repository, dataset.revision()), dataset.path())
                    .orElseThrow(() -> gone(repository));
        }

        private String commit(Repository repository, String revision) {
            try {
                return Pins.read(file).commit(repository, revision).orElseThrow(() -> gone(repository));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Not the user's mistake: it was there, or fetch would have failed. */
        private UncheckedIOException gone(Repository repository) {
            return new UncheckedIOException(new IOException(
                    "%s is not, or no longer, in the cache, or not in %s; fetch it again".formatted(repository, file)));
        }
    }
}
