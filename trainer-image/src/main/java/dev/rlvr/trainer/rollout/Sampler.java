package dev.rlvr.trainer.rollout;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.Decoding;
import dev.rlvr.trainer.model.PromptCache;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Samples answers with the trainer's own weights, by continuous batching: answers that end leave, others that wait take their place, and so the
 * batch stays full until no answer waits. A prompt is read once for all of its answers, also where it stands in the list once for each.
 */
public final class Sampler implements AnswerSource {
    /** Answers written together unless told otherwise: more are hardly faster on a CPU, and caches grow with them. */
    public static final int ROWS = 512;

    /** Tokens drawn between two looks at what has ended. */
    private static final int COLUMNS = 4;

    /** Prompt tokens read at once. */
    private static final int PROMPT_TOKENS = 4096;

    /** New answers begin when this share of the rows is free: as a cohort they share their columns. */
    private static final double BEGIN_AT = 0.25;

    private final Decoder decoder;
    private final NDManager owner;
    private final int rows;
    private final Set<Integer> endTokens;
    private final BooleanSupplier stopped;

    /** A sampler that writes up to {@link #ROWS} answers at a time. */
    public Sampler(Decoder decoder, NDManager owner, BooleanSupplier stopped) {
        this(decoder, owner, ROWS, stopped);
    }

    /**
     * A sampler that throws {@link StoppedException} soon after {@code stopped} turns true.
     *
     * @param rows answers written at the same time, at most
     */
    public Sampler(Decoder decoder, NDManager owner, int rows, BooleanSupplier stopped) {
        this(decoder, owner, rows, Set.copyOf(decoder.weights().config().endTokens()), stopped);
    }

    /**
     * As {@link #Sampler(Decoder, NDManager, int, BooleanSupplier)}, for answers that end otherwise.
     *
     * @param endTokens tokens that an answer ends with
     */
    public Sampler(Decoder decoder, NDManager owner, int rows, Set<Integer> endTokens, BooleanSupplier stopped) {
        this.decoder = decoder;
        this.owner = owner;
        this.rows = rows;
        this.endTokens = Set.copyOf(endTokens);
        this.stopped = stopped;
    }

    @Override
    public List<List<Sample>> sample(List<List<Integer>> prompts, Settings settings, Streams streams) {
        Gathering gathering = new Gathering(prompts.size(), settings.answers());
        sample(prompts, settings, streams, gathering);
        return gathering.samples();
    }

    @Override
    public void sample(List<List<Integer>> prompts, Settings settings, Streams streams, Finished finished) {
        if (prompts.isEmpty()) {
            return;
        }
        int together = Math.min(rows, Math.multiplyExact(prompts.size(), settings.answers()));
        int longest = prompts.stream().mapToInt(List::size).max().orElseThrow() + settings.longest();
        try (Waiting waiting = new Waiting(prompts, settings, streams);
                Decoding decoding = decoder.decode(owner, together, longest, settings.drawing())) {
            List<Draft> drafts = new ArrayList<>();
            while (true) {
                int free = together - drafts.size();
                if (!waiting.isEmpty() && (drafts.isEmpty() || free >= BEGIN_AT * together)) {
                    drafts.addAll(waiting.start(decoding, free, finished));
                }
                if (stopped.getAsBoolean()) {
                    throw new StoppedException();
                }
                if (drafts.stream().anyMatch(draft -> !draft.done())) {
                    advance(decoding, drafts, settings, finished);
                }
                drafts = pack(decoding, drafts);
                if (drafts.isEmpty() && waiting.isEmpty()) {
                    return;
                }
            }
        }
    }

    /** Keeps all weights at hand, which must not change meanwhile. */
    @Override
    public Session open() {
        return decoder.hold()::close;
    }

    /** Nothing to do: it samples with the decoder's own weights. */
    @Override
    public void weightsChanged(int step) {}

    /** Nothing to do: the decoder is its owner's. */
    @Override
    public void close() {}

    private static List<Draft> pack(Decoding decoding, List<Draft> drafts) {
        boolean[] open = new boolean[drafts.size()];
        for (int row = 0; row < open.length; row++) {
            open[row] = !drafts.get(row).done();
        }
        List<Draft> kept = new ArrayList<>();
        for (int row : decoding.pack(open)) {
            kept.add(drafts.get(row));
        }
        return kept;
    }

    private void advance(Decoding decoding, List<Draft> drafts, Settings settings, Finished finished) {
        int longestLeft = 0;
        for (Draft draft : drafts) {
            longestLeft = Math.max(longestLeft, draft.done() ? 0 : settings.longest() - draft.length());
        }
        int columns = Math.min(COLUMNS, longestLeft);
        double[] uniforms = new double[drafts.size() * columns];
        for (int i = 0; i < uniforms.length; i++) {
            Draft draft = drafts.get(i / columns);
            uniforms[i] = draft.done() ? 0 : draft.uniform();
        }
        append(drafts, decoding.advance(columns, uniforms), settings, finished);
    }

    private void append(List<Draft> drafts, Decoding.Drawn drawn, Settings settings, Finished finished) {
        for (int row = 0; row < drafts.size(); row++) {
            Draft draft = drafts.get(row);
            if (draft.done()) {
                continue;
            }
            for (int at = row * drawn.columns(); at < (row + 1) * drawn.columns(); at++) {
                draft.add(
                        Math.toIntExact(drawn.tokens()[at]),
                        drawn.logProbabilities()[at],
                        drawn.entropies()[at],
                        endTokens,
                        settings.longest());
            }
            if (draft.done()) {
                finished.accept(draft.prompt(), draft.answer(), draft.sample());
            }
        }
    }

    /** The answers that are not begun yet, prompt by prompt, and the prompts that are read for them. */
    private final class Waiting implements AutoCloseable {
        private final List<List<Integer>> prompts;
        private final Settings settings;
        private final Streams streams;
        private final List<PromptCache> open = new ArrayList<>(1);

        /** Prompts without those that are like the one before. */
        private final List<List<Integer>> texts = new ArrayList<>();

        /** Which of these each prompt is. */
        private final int[] textOf;

        private int next;
        private int readFrom;
        private int readTo;

        Waiting(List<List<Integer>> prompts, Settings settings, Streams streams) {
            this.prompts = prompts;
            this.settings = settings;
            this.streams = streams;
            this.textOf = new int[prompts.size()];
            for (int prompt = 0; prompt < textOf.length; prompt++) {
                if (texts.isEmpty() || !texts.getLast().equals(prompts.get(prompt))) {
                    texts.add(prompts.get(prompt));
                }
                textOf[prompt] = texts.size() - 1;
            }
        }

        private int textOf(int draft) {
            return textOf[draft / settings.answers()];
        }

        boolean isEmpty() {
            return next == prompts.size() * settings.answers();
        }

        /** Begins the next answers, as many as there are free rows at most. */
        List<Draft> start(Decoding decoding, int free, Finished finished) {
            int end = Math.min(next + free, prompts.size() * settings.answers());
            int longestPrompt = 0;
            for (int prompt = next / settings.answers(); prompt * settings.answers() < end; prompt++) {
                longestPrompt = Math.max(longestPrompt, prompts.get(prompt).size());
            }
            int row = decoding.rows();
            decoding.add(end - next, longestPrompt);
            List<Draft> begun = new ArrayList<>();
            while (next < end) {
                if (textOf(next) == readTo) {
                    read(textOf(end - 1) + 1);
                }
                List<Draft> here = drafts(end);
                int[] sources = here.stream()
                        .mapToInt(draft -> textOf[draft.prompt()] - readFrom)
                        .toArray();
                double[] uniforms = here.stream().mapToDouble(Draft::uniform).toArray();
                append(
                        here,
                        decoding.start(row + begun.size(), open.getFirst(), sources, uniforms),
                        settings,
                        finished);
                begun.addAll(here);
            }
            if (isEmpty()) {
                close();
            }
            return begun;
        }

        /** The next ones whose prompts are read. */
        private List<Draft> drafts(int end) {
            List<Draft> drafts = new ArrayList<>();
            for (; next < end && textOf(next) < readTo; next++) {
                int prompt = next / settings.answers();
                int answer = next % settings.answers();
                drafts.add(new Draft(prompt, answer, streams.of(prompt, answer)));
            }
            return drafts;
        }

        /** Reads texts up to one, or as many as fit, in the place of those before. */
        private void read(int to) {
            close();
            readFrom = readTo;
            int width = 0;
            while (readTo < to) {
                width = Math.max(width, texts.get(readTo).size());
                if (readTo > readFrom && width * (readTo - readFrom + 1) > PROMPT_TOKENS) {
                    break;
                }
                readTo++;
            }
            open.add(decoder.read(owner, texts.subList(readFrom, readTo)));
        }

        @Override
        public void close() {
            open.forEach(PromptCache::close);
            open.clear();
        }
    }
}
