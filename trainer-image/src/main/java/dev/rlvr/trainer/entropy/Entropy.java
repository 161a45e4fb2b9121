package dev.rlvr.trainer.entropy;

import dev.rlvr.trainer.InputException;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.rollout.TextCodec;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The program behind {@code ./rlvr entropy}; its contract is {@code docs/entropy.md}. */
@Command(name = "entropy", mixinStandardHelpOptions = true, description = "Says what a model thinks of given texts.")
public final class Entropy implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Entropy.class);

    private static final int FAILED = 1;
    private static final int WRONG_INPUT = 2;
    private static final int TRY_AGAIN = 75;

    /** Tokens and lines that are read, and sorted by length, together: enough for little padding, little enough for memory. */
    private static final int WINDOW_TOKENS = 1 << 18;

    private static final int WINDOW_LINES = 1 << 12;

    private final PrintStream errors;

    @Option(names = "--model", required = true, description = "Hugging Face folder.")
    private Path model = Path.of("");

    @Option(names = "--input", required = true, description = "Lines with id and text or token_ids.")
    private Path input = Path.of("");

    @Option(names = "--output", required = true, description = "Lines with id, token_ids, logprobs and entropies.")
    private Path output = Path.of("");

    @Option(names = "--temperature", defaultValue = "1", description = "What logits are divided by.")
    private double temperature;

    @Option(names = "--precision", defaultValue = "F32", description = "Number format of matrix products.")
    private Precision precision = Precision.F32;

    @Option(names = "--threads", defaultValue = "1", description = "CPU threads.")
    private int threads;

    Entropy(PrintStream errors) {
        this.errors = errors;
    }

    public static void main(String[] args) {
        System.exit(run(System.err, args));
    }

    /** Package-private for the test, which must not exit. */
    static int run(PrintStream errors, String... args) {
        return new CommandLine(new Entropy(errors)).execute(args);
    }

    @Override
    public Integer call() {
        try {
            requireOptions();
            ModelFolder folder = ModelFolder.open(model);
            try (OptionalCodec codec = OptionalCodec.of(folder)) {
                score(folder, new TextFile(input, folder.config(), codec.codec()));
            }
            return 0;
        } catch (InputException e) {
            return end(WRONG_INPUT, e.getMessage());
        } catch (NotANumberException e) {
            return end(FAILED, e.getMessage());
        } catch (IOException | UncheckedIOException e) {
            return end(TRY_AGAIN, "input or output failed: " + e);
        } catch (RuntimeException | Error e) {
            LOG.error("scoring failed", e);
            return end(FAILED, "scoring failed: " + e);
        }
    }

    private int end(int code, String message) {
        errors.println("rlvr: " + message);
        return code;
    }

    private void requireOptions() throws IOException {
        if (!(temperature > 0) || !Double.isFinite(temperature)) {
            throw new InputException("--temperature: " + temperature + " is not a number over 0; leave it out for 1");
        }
        if (threads < 1) {
            throw new InputException("--threads: " + threads + " is not over 0; give at least 1");
        }
        if (Files.exists(output) && Files.exists(input) && Files.isSameFile(input, output)) {
            throw new InputException("--output: " + output + " is the input; give another file");
        }
    }

    /** The tokenizer of a folder, if it has one. */
    private record OptionalCodec(Optional<TextCodec> codec) implements AutoCloseable {
        static OptionalCodec of(ModelFolder folder) {
            return new OptionalCodec(
                    Files.exists(folder.tokenizerFile())
                            ? Optional.of(TextCodec.open(folder.tokenizerFile()))
                            : Optional.empty());
        }

        @Override
        public void close() {
            codec.ifPresent(TextCodec::close);
        }
    }

    /** What is known of an input once all its lines have been checked. */
    private static final class Extent {
        private int lines;
        private int longest;

        void add(Text text) {
            lines++;
            longest = Math.max(longest, text.length());
        }
    }

    /** Checks all lines before the weights are loaded: a wrong last line shall not cost the work on all others. */
    private void score(ModelFolder folder, TextFile texts) throws IOException {
        Extent extent = new Extent();
        texts.forEach(extent::add);
        if (extent.lines == 0) {
            throw new InputException("--input: " + input + " holds no lines; give at least one with id and text");
        }
        try (FiguresFile file = new FiguresFile(output);
                Scorer scorer = new Scorer(folder, extent.longest, precision, threads, temperature)) {
            Window window = new Window(scorer, file, extent.lines);
            texts.forEach(window::add);
            window.finish();
            file.commit();
        }
    }

    /** Texts that are read but not yet written. */
    private static final class Window {
        private final Scorer scorer;
        private final FiguresFile file;
        private final int lines;
        private final long start = System.nanoTime();
        private final List<Text> texts = new ArrayList<>();
        private int tokens;
        private int linesDone;
        private long tokensDone;

        Window(Scorer scorer, FiguresFile file, int lines) {
            this.scorer = scorer;
            this.file = file;
            this.lines = lines;
        }

        void add(Text text) throws IOException {
            texts.add(text);
            tokens += text.length();
            if (tokens >= WINDOW_TOKENS || texts.size() == WINDOW_LINES) {
                flush();
            }
        }

        void finish() throws IOException {
            flush();
        }

        private void flush() throws IOException {
            if (texts.isEmpty()) {
                return;
            }
            List<Figures> figures = scorer.score(texts);
            for (int i = 0; i < texts.size(); i++) {
                if (!figures.get(i).finite()) {
                    throw new NotANumberException(texts.get(i));
                }
                file.write(texts.get(i), figures.get(i));
            }
            linesDone += texts.size();
            tokensDone += tokens;
            LOG.info(
                    "{} of {} lines, {} tokens/s",
                    linesDone,
                    lines,
                    Math.round(tokensDone / ((System.nanoTime() - start) / 1e9)));
            texts.clear();
            tokens = 0;
        }
    }

    /** The model's arithmetic overflowed. */
    private static final class NotANumberException extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotANumberException(Text text) {
            super("the model gives numbers that are none for line " + text.line()
                    + "; check its weights, or raise --temperature");
        }
    }
}
