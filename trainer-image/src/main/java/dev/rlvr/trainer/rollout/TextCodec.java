package dev.rlvr.trainer.rollout;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.rlvr.trainer.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Text to token ids and back, by the model's own {@code tokenizer.json}. */
public final class TextCodec implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;

    private TextCodec(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * Reads a tokenizer.
     *
     * @throws InputException if the file is missing or not a tokenizer
     */
    public static TextCodec open(Path tokenizerFile) {
        if (!Files.exists(tokenizerFile)) {
            throw new InputException(
                    "spec.model.source: there is no " + tokenizerFile + "; the model folder needs a tokenizer.json");
        }
        try {
            return new TextCodec(HuggingFaceTokenizer.builder()
                    .optTokenizerPath(tokenizerFile)
                    .optTruncation(false)
                    .optPadding(false)
                    .build());
        } catch (IOException | RuntimeException e) {
            throw new InputException("spec.model.source: " + tokenizerFile + " is not a tokenizer: " + e.getMessage());
        }
    }

    /** Ids of a prompt, with the special tokens that the tokenizer puts around it. */
    public List<Integer> encode(String text) {
        Encoding encoding = tokenizer.encode(text, true, false);
        return Arrays.stream(encoding.getIds()).mapToObj(Math::toIntExact).toList();
    }

    /** Text of a response, without special tokens. */
    public String decode(int[] tokens) {
        return tokenizer.decode(IntStream.of(tokens).asLongStream().toArray(), true);
    }

    /** The text of each token by itself, special tokens included. */
    public List<String> pieces(int[] tokens) {
        return IntStream.of(tokens)
                .mapToObj(token -> tokenizer.decode(new long[] {token}, false))
                .toList();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
