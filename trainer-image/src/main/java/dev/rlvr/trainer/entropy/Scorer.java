package dev.rlvr.trainer.entropy;

import ai.djl.ndarray.NDManager;
import dev.rlvr.trainer.model.Decoder;
import dev.rlvr.trainer.model.ModelFolder;
import dev.rlvr.trainer.model.Precision;
import dev.rlvr.trainer.model.TokenBatch;
import dev.rlvr.trainer.model.Weights;
import dev.rlvr.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** A loaded model that says log-probabilities and entropies at a temperature. */
final class Scorer implements AutoCloseable {
    /** Tokens, padding included, that pass through the model together; a longer text passes alone. */
    private static final int TOKENS_AT_ONCE = 4096;

    private final NDManager owner;
    private final Decoder decoder;
    private final double temperature;

    /**
     * Loads the weights.
     *
     * @param longest most tokens of a text
     */
    Scorer(ModelFolder folder, int longest, Precision precision, int threads, double temperature) {
        this.owner = Torch.start(threads);
        this.decoder = new Decoder(owner, Weights.load(owner, folder), precision, Math.max(1, longest));
        this.temperature = temperature;
    }

    /** The figures of each text, in their order; texts of like length share a batch. */
    List<Figures> score(List<Text> texts) {
        Figures[] figures = new Figures[texts.size()];
        Arrays.fill(figures, Figures.NONE);
        List<Integer> byLength = IntStream.range(0, texts.size())
                .filter(i -> texts.get(i).length() > 1) // of a first token, nothing can be said
                .boxed()
                .sorted(Comparator.comparingInt(i -> -texts.get(i).length()))
                .toList();
        for (int from = 0; from < byLength.size(); ) {
            int width = texts.get(byLength.get(from)).length();
            int to = Math.min(byLength.size(), from + Math.max(1, TOKENS_AT_ONCE / width));
            scoreBatch(texts, byLength.subList(from, to), figures);
            from = to;
        }
        return List.of(figures);
    }

    private void scoreBatch(List<Text> texts, List<Integer> chosen, Figures[] figures) {
        List<TokenBatch.Row> rows = new ArrayList<>();
        for (int i : chosen) {
            List<Integer> tokens = texts.get(i).tokens();
            rows.add(new TokenBatch.Row(tokens.subList(0, 1), tokens.subList(1, tokens.size())));
        }
        Decoder.Scores scores = decoder.score(TokenBatch.of(rows), temperature);
        int at = 0;
        for (int i : chosen) {
            int end = at + texts.get(i).length() - 1;
            figures[i] = new Figures(
                    Arrays.copyOfRange(scores.logProbabilities(), at, end),
                    Arrays.copyOfRange(scores.entropies(), at, end));
            at = end;
        }
    }

    @Override
    public void close() {
        decoder.close();
        owner.close();
    }
}
