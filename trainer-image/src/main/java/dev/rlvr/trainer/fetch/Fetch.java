package dev.rlvr.trainer.fetch;

import dev.rlvr.crds.EvaluationSpec;
import dev.rlvr.crds.Manifest;
import dev.rlvr.crds.ManifestException;
import dev.rlvr.crds.ModelSpec;
import dev.rlvr.crds.RLVRJobSpec;
import dev.rlvr.crds.Source;
import dev.rlvr.crds.Source.Dataset;
import dev.rlvr.crds.Source.Scheme;
import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.LastWords;
import dev.rlvr.trainer.hub.Exclusive;
import dev.rlvr.trainer.hub.HubCache;
import dev.rlvr.trainer.hub.HuggingFaceHub;
import dev.rlvr.trainer.hub.Pins;
import dev.rlvr.trainer.hub.Repository;
import dev.rlvr.trainer.hub.Repository.Kind;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Downloads what the {@code hf://} sources of a job name, and notes in {@code RLVR_SOURCES} which commits these are; its contract is
 * {@code docs/sources.md}. Where all is there already, no hub is asked.
 */
@Command(name = "fetch", mixinStandardHelpOptions = true, description = "Downloads what a job's hf:// sources name.")
public final class Fetch implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Fetch.class);

    private final Map<String, String> environment;
    private final LastWords lastWords;

    @Option(names = "--job", required = true, description = "The RLVRJob manifest.")
    private Path job = Path.of("");

    @Option(names = "--link", description = "Symbolic link to make to the model's folder, if that is of a hub.")
    private @Nullable Path link;

    Fetch(Map<String, String> environment, PrintStream errors) {
        this.environment = environment;
        this.lastWords = new LastWords(environment, errors);
    }

    public static void main(String[] args) {
        int code = new CommandLine(new Fetch(System.getenv(), System.err)).execute(args);
        System.out.flush();
        System.exit(code);
    }

    @Override
    public Integer call() {
        try {
            RLVRJobSpec spec = Manifest.read(job).getSpec();
            Path pins = Path.of(Optional.ofNullable(environment.get("RLVR_SOURCES"))
                    .orElseThrow(() -> new InputException("RLVR_SOURCES: is not set; name a file to note commits in")));
            // one pod of a job at a time: the first decides what a branch is
            try (Exclusive _ =
                    Exclusive.of(pins.resolveSibling(pins.getFileName() + ".lock"), "fetches for this job")) {
                new Sources(spec, Pins.read(pins), HuggingFaceHub.of(environment, HubCache.of(environment)))
                        .fetch(link);
            }
            return 0;
        } catch (ManifestException | InputException e) {
            return lastWords.end(LastWords.WRONG_INPUT, String.valueOf(e.getMessage()));
        } catch (IOException | UncheckedIOException e) {
            return lastWords.end(LastWords.TRY_AGAIN, String.valueOf(e.getMessage()));
        }
    }

    /** The sources of one job. */
    private record Sources(RLVRJobSpec spec, Pins pins, HuggingFaceHub hub) {
        void fetch(@Nullable Path link) throws IOException {
            // the small files first: what is wrong with them shows before a model is on its way
            problems("spec.data.source", spec.data().source());
            for (EvaluationSpec set : spec.evaluations()) {
                problems("spec.evaluation[" + set.name() + "].source", set.source());
            }
            Optional<Path> model = model(spec.model());
            if (model.isPresent() && link != null) {
                Files.deleteIfExists(link);
                Files.createSymbolicLink(link, model.get());
            }
        }

        private void problems(String field, String source) throws IOException {
            Optional<Dataset> named = Source.parse(source).dataset();
            if (named.isEmpty()) {
                return;
            }
            try {
                Dataset dataset = named.get();
                Repository repository = new Repository(Kind.DATASETS, dataset.repository());
                String commit = commit(repository, dataset.revision());
                LOG.info("{} is {}", source, hub.file(repository, commit, dataset.path()));
            } catch (InputException e) {
                throw new InputException(field + ": " + e.getMessage(), e);
            }
        }

        private Optional<Path> model(ModelSpec model) throws IOException {
            Source source = Source.parse(model.source());
            if (source.scheme() != Scheme.HF) {
                return Optional.empty();
            }
            try {
                Repository repository = new Repository(Kind.MODELS, source.path());
                Path folder =
                        hub.model(repository, commit(repository, model.revision() == null ? "main" : model.revision()));
                LOG.info("{} is {}", model.source(), folder);
                return Optional.of(folder);
            } catch (InputException e) {
                throw new InputException("spec.model.source: " + e.getMessage(), e);
            }
        }

        private String commit(Repository repository, String revision) throws IOException {
            Optional<String> pinned = pins.commit(repository, revision);
            if (pinned.isPresent()) {
                return pinned.get();
            }
            String commit = hub.commit(repository, revision);
            pins.pin(repository, revision, commit);
            return commit;
        }
    }
}
